//! The keys of tokens. Of each only what verifies a signature is stored, for one algorithm.

use crate::catalog::{self, Rows, Source};
use crate::error::{self, Result};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation};
use pgrx::datum::Uuid;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::traits::PublicKeyParts;
use std::ffi::CStr;

/// The longest key that is accepted. Public keys in PEM form are shorter.
const MAX_KEY_BYTES: usize = 1 << 16;
/// RFC 7518 §3.2: at least as long as the hash.
const MIN_SECRET_BYTES: usize = 32;
/// RFC 7518 §3.3.
const MIN_RSA_BITS: usize = 2048;

/// The algorithms (RFC 7518, RFC 8037) that keys may be for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    EdDSA,
    ES256,
    RS256,
    HS256,
}

impl Algorithm {
    const ALL: [Algorithm; 4] = [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256, Algorithm::HS256];

    pub fn named(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Algorithm::EdDSA => "EdDSA",
            Algorithm::ES256 => "ES256",
            Algorithm::RS256 => "RS256",
            Algorithm::HS256 => "HS256",
        }
    }

    pub fn jwa(self) -> jsonwebtoken::Algorithm {
        match self {
            Algorithm::EdDSA => jsonwebtoken::Algorithm::EdDSA,
            Algorithm::ES256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::RS256 => jsonwebtoken::Algorithm::RS256,
            Algorithm::HS256 => jsonwebtoken::Algorithm::HS256,
        }
    }
}

/// A key as it is stored.
pub struct Key {
    pub id: Uuid,
    pub algorithm: Algorithm,
    material: String,
}

impl Key {
    /// Error 55000 if the stored key does not fit its algorithm. Only a superuser can have written
    /// it so.
    pub fn decoding_key(&self) -> Result<DecodingKey> {
        decoding_key(self.algorithm, &self.material).map_err(|_| error::broken_signing_key())
    }
}

const COLUMNS: [&CStr; 4] = [c"id", c"kid", c"algorithm", c"material"];

/// The key of that id, if there is one. A kid is looked up in the table, and used for nothing else.
pub fn find(kid: &str) -> Result<Option<Key>> {
    let keys = catalog::read(Source::SigningKey, &COLUMNS, Rows::All, |row| {
        if row.get::<&str>(1)? != kid {
            return None;
        }
        Some(Key { id: row.get(0)?, algorithm: Algorithm::named(row.get(2)?)?, material: row.get(3)? })
    })?;
    Ok(keys.into_iter().next())
}

/// Whether this key is still there. Another key with the same kid does not count.
pub fn exists(id: Uuid) -> Result<bool> {
    let found = catalog::read(Source::SigningKey, &COLUMNS[..1], Rows::All, |row| {
        row.get::<Uuid>(0).filter(|known| *known == id)
    })?;
    Ok(!found.is_empty())
}

/// The key, or the reason why it is none for the algorithm.
pub fn decoding_key(algorithm: Algorithm, material: &str) -> Result<DecodingKey, &'static str> {
    const UNREADABLE: &str = "it cannot be read: give a public key in PEM form, or for HS256 a secret";
    if material.len() > MAX_KEY_BYTES {
        return Err("it is too long");
    }
    let is_pem = material.contains("-----BEGIN");
    if algorithm == Algorithm::HS256 {
        // A public key as the secret of HS256 would let everybody sign who knows it.
        if is_pem {
            return Err("HS256 takes a secret, not a key in PEM form");
        }
        if material.len() < MIN_SECRET_BYTES {
            return Err("a secret for HS256 has at least 32 bytes");
        }
        return Ok(DecodingKey::from_secret(material.as_bytes()));
    }
    if material.contains("PRIVATE KEY") {
        return Err("it is a private key; give the public one, and keep the private one where tokens are made");
    }
    if material.matches("-----BEGIN").count() != 1
        || !["-----BEGIN PUBLIC KEY-----", "-----BEGIN RSA PUBLIC KEY-----"].iter().any(|head| material.contains(head))
    {
        return Err(UNREADABLE);
    }
    let pem = material.trim().as_bytes();
    let key = match algorithm {
        Algorithm::EdDSA => DecodingKey::from_ed_pem(pem),
        Algorithm::ES256 => DecodingKey::from_ec_pem(pem),
        _ => DecodingKey::from_rsa_pem(pem),
    }
    .map_err(|_| "it is not a public key of this algorithm")?;
    let bytes = key.try_get_as_bytes().map_err(|_| UNREADABLE)?;
    let fits = match algorithm {
        Algorithm::EdDSA => bytes.len() == 32,
        Algorithm::RS256 => match rsa::RsaPublicKey::from_pkcs1_der(bytes) {
            Ok(key) if key.n().bits() < MIN_RSA_BITS => return Err("an RSA key has at least 2048 bits"),
            read => read.is_ok(),
        },
        _ => true,
    };
    // The library reads the whole key only when it verifies a signature. So let it verify an empty
    // one: with a key of the algorithm the signature is wrong, with any other key the library fails
    // before that.
    if fits && verifies_nothing(&key, algorithm) { Ok(key) } else { Err("it is not a public key of this algorithm") }
}

fn verifies_nothing(key: &DecodingKey, algorithm: Algorithm) -> bool {
    use base64::Engine;
    let header =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{{\"alg\":\"{}\"}}", algorithm.name()));
    let outcome =
        jsonwebtoken::decode::<serde_json::Value>(format!("{header}.e30."), key, &Validation::new(algorithm.jwa()));
    outcome.is_err_and(|failure| *failure.kind() == ErrorKind::InvalidSignature)
}
