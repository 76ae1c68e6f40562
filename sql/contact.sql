-- contact: phone numbers and e-mail addresses in the form that look-ups compare.

-- It tells by which country's rules an owner's numbers are read, so only the definer may ask it of any owner.
CREATE FUNCTION ringfence.normal_phones(phones text[], owner_id uuid) RETURNS text[]
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'normal_phones_wrapper';
REVOKE ALL ON FUNCTION ringfence.normal_phones(text[], uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.normal_phones(text[], uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.normal_phones(text[], uuid) IS 'Phones in E.164 by the country of the owner; internal';

CREATE FUNCTION ringfence.normal_emails(emails text[]) RETURNS text[]
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'normal_emails_wrapper';
REVOKE ALL ON FUNCTION ringfence.normal_emails(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.normal_emails(text[]) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.normal_emails(text[]) IS 'E-mail addresses in the form that look-ups compare; internal';

CREATE FUNCTION ringfence.phone_to_find(phone text) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'phone_to_find_wrapper';
REVOKE ALL ON FUNCTION ringfence.phone_to_find(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.phone_to_find(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.phone_to_find(text) IS 'A phone number in E.164 by the country of the session''s owner, to compare with customer.normal_phones';

CREATE FUNCTION ringfence.email_to_find(email text) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'email_to_find_wrapper';
REVOKE ALL ON FUNCTION ringfence.email_to_find(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.email_to_find(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.email_to_find(text) IS 'An e-mail address in the form of customer.normal_emails, to compare with them';
