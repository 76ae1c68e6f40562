-- contact: phone numbers and e-mail addresses in the form that look-ups compare.

-- The result tells an owner's country, so only the definer may ask for any owner.
CREATE FUNCTION ringfence.normal_phones(phones text[], owner_id uuid) RETURNS text[]
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'normal_phones_wrapper';
REVOKE ALL ON FUNCTION ringfence.normal_phones(text[], uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.normal_phones(text[], uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.normal_phones(text[], uuid) IS 'The numbers in phones, in E.164 by the country of the owner. Error 23514: more than 64 phones. Internal';

CREATE FUNCTION ringfence.normal_emails(emails text[]) RETURNS text[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'normal_emails_wrapper';
REVOKE ALL ON FUNCTION ringfence.normal_emails(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.normal_emails(text[]) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.normal_emails(text[]) IS 'E-mail addresses in the form that look-ups compare. Error 23514: more than 64 addresses. Internal';

CREATE FUNCTION ringfence.phones_to_find(phone text) RETURNS text[]
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'phones_to_find_wrapper';
REVOKE ALL ON FUNCTION ringfence.phones_to_find(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.phones_to_find(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.phones_to_find(text) IS 'The forms that a phone may have in customer.normal_phones, likeliest first, by the country of the session''s owner: WHERE normal_phones && phones_to_find(...)';

CREATE FUNCTION ringfence.phone_to_find(phone text) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'phone_to_find_wrapper';
REVOKE ALL ON FUNCTION ringfence.phone_to_find(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.phone_to_find(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.phone_to_find(text) IS 'The likeliest form of a phone in customer.normal_phones: E.164 by the country of the session''s owner; see phones_to_find()';

CREATE FUNCTION ringfence.email_to_find(email text) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'email_to_find_wrapper';
REVOKE ALL ON FUNCTION ringfence.email_to_find(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.email_to_find(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.email_to_find(text) IS 'An e-mail address in the form of customer.normal_emails, to compare with them';
