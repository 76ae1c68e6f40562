-- script: questions that an agent goes through with a customer, and what was answered. A script belongs to a project, and its answers may be
-- bound to fields of that project, which they fill.

CREATE TABLE ringfence.script (
    owner_id   uuid NOT NULL DEFAULT ringfence.current_owner(),
    id         uuid NOT NULL DEFAULT ringfence.new_id(),
    project_id uuid NOT NULL DEFAULT ringfence.current_project(),
    name       text NOT NULL CHECK (ringfence.check_name(name)),
    enabled    boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, id, project_id),
    UNIQUE (owner_id, project_id, name),
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE CASCADE
);
COMMENT ON TABLE ringfence.script IS 'Scripts: questions with their possible answers';
COMMENT ON COLUMN ringfence.script.name IS 'Unique within the project';
COMMENT ON COLUMN ringfence.script.enabled IS 'Only an enabled script has a form';

-- Each names its script and project, so that no foreign key can lead into those of another.
CREATE TABLE ringfence.question (
    owner_id   uuid NOT NULL DEFAULT ringfence.current_owner(),
    id         uuid NOT NULL DEFAULT ringfence.new_id(),
    script_id  uuid NOT NULL,
    project_id uuid NOT NULL,
    position   integer NOT NULL,
    text       text NOT NULL CHECK (ringfence.can_be_seen(text)),
    required   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, script_id, id),
    FOREIGN KEY (owner_id, script_id, project_id) REFERENCES ringfence.script (owner_id, id, project_id) ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE ringfence.question IS 'The questions of scripts';
COMMENT ON COLUMN ringfence.question.project_id IS 'That of the script; kept by the server';
COMMENT ON COLUMN ringfence.question.position IS 'Its place in the script; without one it comes last';
COMMENT ON COLUMN ringfence.question.required IS 'For the application: whether it must be answered';
CREATE INDEX question_by_script ON ringfence.question (owner_id, script_id, position);
COMMENT ON INDEX ringfence.question_by_script IS 'The questions of a script, in their order';

CREATE TABLE ringfence.answer (
    owner_id         uuid NOT NULL DEFAULT ringfence.current_owner(),
    id               uuid NOT NULL DEFAULT ringfence.new_id(),
    script_id        uuid NOT NULL,
    project_id       uuid NOT NULL,
    question_id      uuid NOT NULL,
    position         integer NOT NULL,
    kind             text NOT NULL DEFAULT 'choice' CHECK (kind IN ('choice', 'text')),
    name             text NOT NULL CHECK (ringfence.can_be_seen(name)),
    field_id         uuid,
    next_question_id uuid,
    created_at       timestamptz NOT NULL DEFAULT now(),
    created_by       text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    updated_by       text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, script_id, project_id) REFERENCES ringfence.script (owner_id, id, project_id) ON UPDATE CASCADE ON DELETE CASCADE,
    FOREIGN KEY (owner_id, script_id, question_id) REFERENCES ringfence.question (owner_id, script_id, id) ON DELETE CASCADE,
    FOREIGN KEY (owner_id, field_id) REFERENCES ringfence.field ON DELETE SET NULL (field_id),
    -- When the transaction ends: questions may lead to each other, and a script is deleted as a whole.
    CONSTRAINT answer_next_question_fkey FOREIGN KEY (owner_id, script_id, next_question_id)
        REFERENCES ringfence.question (owner_id, script_id, id) DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON TABLE ringfence.answer IS 'The possible answers to questions of scripts';
COMMENT ON COLUMN ringfence.answer.script_id IS 'That of the question; kept by the server';
COMMENT ON COLUMN ringfence.answer.project_id IS 'That of the script; kept by the server';
COMMENT ON COLUMN ringfence.answer.position IS 'Its place among the answers; without one it comes last';
COMMENT ON COLUMN ringfence.answer.kind IS 'choice: the answer is its name; text: the agent types it';
COMMENT ON COLUMN ringfence.answer.field_id IS 'The custom field of the script''s project that the answer fills';
COMMENT ON COLUMN ringfence.answer.next_question_id IS 'The question of the same script that comes after this answer; NULL: the script ends';
CREATE INDEX answer_by_question ON ringfence.answer (owner_id, question_id, position);
COMMENT ON INDEX ringfence.answer_by_question IS 'The answers to a question, in their order';
CREATE INDEX answer_by_script ON ringfence.answer (owner_id, script_id);
COMMENT ON INDEX ringfence.answer_by_script IS 'The answers of a script: deleting it, or one of its questions, looks them up';
CREATE INDEX answer_field ON ringfence.answer (owner_id, field_id) WHERE field_id IS NOT NULL;
COMMENT ON INDEX ringfence.answer_field IS 'The answers that fill a field: dropping it looks them up';

CREATE TABLE ringfence.response (
    owner_id       uuid NOT NULL DEFAULT ringfence.current_owner(),
    id             uuid NOT NULL DEFAULT ringfence.new_id(),
    interaction_id uuid NOT NULL,
    project_id     uuid,
    question_id    uuid,
    answer_id      uuid,
    -- Not a foreign key: what filled a masked field that is dropped stays masked.
    field_id       uuid,
    question       text NOT NULL,
    answer         text NOT NULL,
    value          text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    created_by     text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    updated_by     text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, interaction_id) REFERENCES ringfence.interaction ON DELETE CASCADE,
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE SET NULL (project_id),
    FOREIGN KEY (owner_id, question_id) REFERENCES ringfence.question ON DELETE SET NULL (question_id),
    FOREIGN KEY (owner_id, answer_id) REFERENCES ringfence.answer ON DELETE SET NULL (answer_id)
);
COMMENT ON TABLE ringfence.response IS 'The answers that were given in interactions. A response does not change when its script changes';
COMMENT ON COLUMN ringfence.response.project_id IS 'The project of the interaction, kept by the server. A session that sees the interaction sees the response, unless it fills a masked field';
COMMENT ON COLUMN ringfence.response.question_id IS 'NULL: the question has been deleted';
COMMENT ON COLUMN ringfence.response.answer_id IS 'NULL: the answer has been deleted';
COMMENT ON COLUMN ringfence.response.field_id IS 'The field that the answer fills, kept by the server. If the field is masked, the response takes field.unmask';
COMMENT ON COLUMN ringfence.response.question IS 'The question as it was asked; kept by the server';
COMMENT ON COLUMN ringfence.response.answer IS 'The name of the answer as it was then; kept by the server';
COMMENT ON COLUMN ringfence.response.value IS 'The name of the choice, or the text that the agent typed';
CREATE INDEX response_by_interaction ON ringfence.response (owner_id, interaction_id, id);
COMMENT ON INDEX ringfence.response_by_interaction IS 'The responses of an interaction, in their order';
CREATE INDEX response_project ON ringfence.response (owner_id, project_id);
COMMENT ON INDEX ringfence.response_project IS 'The responses of a project';
CREATE INDEX response_question ON ringfence.response (owner_id, question_id) WHERE question_id IS NOT NULL;
COMMENT ON INDEX ringfence.response_question IS 'The responses to a question: deleting it looks them up';
CREATE INDEX response_answer ON ringfence.response (owner_id, answer_id) WHERE answer_id IS NOT NULL;
COMMENT ON INDEX ringfence.response_answer IS 'The responses with an answer: deleting it looks them up';

-- Whoever works in a project sees its scripts.
SELECT ringfence.wall('ringfence.script', NULL, 'script.manage', 'script.manage', 'project_id');
CREATE POLICY may_read ON ringfence.script FOR SELECT TO PUBLIC USING (ringfence.works_in(project_id));
SELECT ringfence.wall('ringfence.question', NULL, 'script.manage', 'script.manage', 'project_id');
CREATE POLICY may_read ON ringfence.question FOR SELECT TO PUBLIC USING (ringfence.works_in(project_id));
SELECT ringfence.wall('ringfence.answer', NULL, 'script.manage', 'script.manage', 'project_id');
CREATE POLICY may_read ON ringfence.answer FOR SELECT TO PUBLIC USING (ringfence.works_in(project_id));

CREATE FUNCTION ringfence.sees_values_of(field_id uuid, project_id uuid) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'sees_values_of_wrapper';
REVOKE ALL ON FUNCTION ringfence.sees_values_of(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.sees_values_of(uuid, uuid) TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.sees_values_of(uuid, uuid) IS
    'True if the field is NULL or not masked, or the session holds field.unmask in that project (NULL: in all). A field that does not exist counts as masked. Part of scripts';
SELECT ringfence.wall('ringfence.response', NULL, 'interaction.write', 'interaction.write', 'project_id');
-- The policies that wall() makes, with one more condition. A session does not read a response that fills a masked field, nor can it count or
-- lose such responses by an UPDATE or DELETE.
CREATE POLICY may_read ON ringfence.response FOR SELECT TO PUBLIC
    USING ((project_id = ANY (ringfence.projects_with('interaction.read')) OR project_id IS NULL AND ringfence.has_right_in('interaction.read', NULL))
           AND ringfence.sees_values_of(field_id, project_id));
ALTER POLICY may_update ON ringfence.response
    USING ((project_id = ANY (ringfence.projects_with('interaction.write')) OR project_id IS NULL AND ringfence.has_right_in('interaction.write', NULL))
           AND ringfence.sees_values_of(field_id, project_id));
ALTER POLICY may_delete ON ringfence.response
    USING ((project_id = ANY (ringfence.projects_with('interaction.write')) OR project_id IS NULL AND ringfence.has_right_in('interaction.write', NULL))
           AND ringfence.sees_values_of(field_id, project_id));

GRANT SELECT (owner_id, id, project_id, name, enabled, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, id, project_id, name, enabled, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, project_id, name, enabled, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.script TO ringfence_user;
GRANT SELECT (owner_id, id, script_id, project_id, position, text, required, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, id, script_id, project_id, position, text, required, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, script_id, project_id, position, text, required, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.question TO ringfence_user;
GRANT SELECT (owner_id, id, script_id, project_id, question_id, position, kind, name, field_id, next_question_id, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, id, script_id, project_id, question_id, position, kind, name, field_id, next_question_id, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, script_id, project_id, question_id, position, kind, name, field_id, next_question_id, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.answer TO ringfence_user;
GRANT SELECT (owner_id, id, interaction_id, project_id, question_id, answer_id, field_id, question, answer, value, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, id, interaction_id, project_id, question_id, answer_id, field_id, question, answer, value, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, interaction_id, project_id, question_id, answer_id, field_id, question, answer, value, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.response TO ringfence_user;
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.script FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.question FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.answer FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.response FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();

-- What is defined ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION ringfence.keep_question() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $keep$
BEGIN
    IF NOT row_security_active(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        NEW.script_id := OLD.script_id;
        NEW.project_id := OLD.project_id;
    ELSE
        SELECT script.project_id INTO NEW.project_id
          FROM ringfence.script WHERE script.owner_id = ringfence.current_owner() AND script.id = NEW.script_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no script "%" is in reach', NEW.script_id
                USING ERRCODE = 'no_data_found', HINT = 'SELECT id, name FROM ringfence.script lists the scripts of this session''s projects.';
        END IF;
    END IF;
    NEW.required := coalesce(NEW.required, false);
    IF NEW.position IS NULL THEN
        SELECT least(coalesce(max(question.position), 0)::bigint + 1, 2147483647) INTO NEW.position
          FROM ringfence.question WHERE question.owner_id = ringfence.current_owner() AND question.script_id = NEW.script_id;
    END IF;
    RETURN NEW;
END
$keep$;
REVOKE ALL ON FUNCTION ringfence.keep_question() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_question() IS 'Trigger: a question has the project of its script, and without a position comes last. Error P0002: a script that the session does not see';
CREATE TRIGGER keep_question BEFORE INSERT OR UPDATE ON ringfence.question
    FOR EACH ROW EXECUTE FUNCTION ringfence.keep_question();

CREATE FUNCTION ringfence.writes_field_in(field_id uuid, project_id uuid) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'writes_field_in_wrapper';
REVOKE ALL ON FUNCTION ringfence.writes_field_in(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.writes_field_in(uuid, uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.writes_field_in(uuid, uuid) IS 'Whether that custom field is bound to that project, and this session may write it there; part of scripts';

CREATE FUNCTION ringfence.keep_answer() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $keep$
BEGIN
    IF NOT row_security_active(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        NEW.script_id := OLD.script_id;
        NEW.project_id := OLD.project_id;
        NEW.question_id := OLD.question_id;
    ELSE
        SELECT question.script_id, question.project_id INTO NEW.script_id, NEW.project_id
          FROM ringfence.question WHERE question.owner_id = ringfence.current_owner() AND question.id = NEW.question_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no question "%" is in reach', NEW.question_id
                USING ERRCODE = 'no_data_found', HINT = 'SELECT id, text FROM ringfence.question lists the questions of this session''s projects.';
        END IF;
    END IF;
    NEW.kind := coalesce(NEW.kind, 'choice');
    IF NEW.position IS NULL THEN
        SELECT least(coalesce(max(answer.position), 0)::bigint + 1, 2147483647) INTO NEW.position
          FROM ringfence.answer WHERE answer.owner_id = ringfence.current_owner() AND answer.question_id = NEW.question_id;
    END IF;
    -- Masked, not bound to the project, and not there at all: one refusal.
    IF NEW.field_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.field_id IS DISTINCT FROM OLD.field_id)
       AND NOT ringfence.writes_field_in(NEW.field_id, NEW.project_id) THEN
        RAISE EXCEPTION 'field "%" cannot be written in the project of this script', NEW.field_id
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'An answer fills a custom field that is bound to the project of its script, and that this session may write there.';
    END IF;
    RETURN NEW;
END
$keep$;
REVOKE ALL ON FUNCTION ringfence.keep_answer() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_answer() IS
    'Trigger: an answer has the script and project of its question. Error P0002: a question that the session does not see; 42501: a field that cannot be written in the script''s project';
CREATE TRIGGER keep_answer BEFORE INSERT OR UPDATE ON ringfence.answer
    FOR EACH ROW EXECUTE FUNCTION ringfence.keep_answer();

-- What is asked and answered ----------------------------------------------------------------------------------------------

CREATE FUNCTION ringfence.script_form(
    script text,
    OUT question_id uuid, OUT question_position integer, OUT question text, OUT required boolean,
    OUT answer_id uuid, OUT answer_position integer, OUT answer text, OUT kind text, OUT next_question_id uuid,
    OUT field_name text, OUT field_type text, OUT field_options text[], OUT field_access text)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $form$
#variable_conflict use_column
DECLARE
    found_script uuid;
    selected     CONSTANT uuid := ringfence.current_project();
BEGIN
    -- Two projects may have scripts of one name: that of the selected project goes before.
    SELECT s.id INTO found_script FROM ringfence.script AS s
     WHERE s.owner_id = ringfence.current_owner() AND s.enabled AND (s.name = script_form.script OR s.id::text = lower(script_form.script))
     ORDER BY s.project_id IS DISTINCT FROM selected, s.id LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no script "%" is in reach', left(script_form.script, 200)
            USING ERRCODE = 'no_data_found', HINT = 'SELECT name FROM ringfence.script WHERE enabled lists the scripts of this session''s projects.';
    END IF;
    RETURN QUERY
        SELECT q.id, q.position, q.text, q.required, a.id, a.position, a.name, a.kind, a.next_question_id, f.name, f.type, f.options, f.access
          FROM ringfence.question AS q
          JOIN ringfence.answer AS a ON a.owner_id = q.owner_id AND a.question_id = q.id
          LEFT JOIN ringfence.visible_fields() AS f ON f.field_id = a.field_id
         WHERE q.owner_id = ringfence.current_owner() AND q.script_id = found_script AND (a.field_id IS NULL OR f.field_id IS NOT NULL)
         ORDER BY q.position, q.id, a.position, a.id;
END
$form$;
REVOKE ALL ON FUNCTION ringfence.script_form(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.script_form(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.script_form(text) IS
    'A script by name or id: a row for each possible answer, with the field that it fills. It leaves out answers whose field this session does not see. Error P0002: no such script';

CREATE FUNCTION ringfence.keep_response() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $keep$
DECLARE
    about  record;
    chosen record;
    filled record;
    given  jsonb;
BEGIN
    IF NOT row_security_active(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        -- What was answered can be corrected in its value, and the field is not written again.
        NEW.interaction_id := OLD.interaction_id;
        NEW.question_id := OLD.question_id;
        NEW.answer_id := OLD.answer_id;
        NEW.field_id := OLD.field_id;
        NEW.question := OLD.question;
        NEW.answer := OLD.answer;
        -- put_responses() writes it.
        IF current_user <> 'ringfence_definer' THEN
            NEW.project_id := OLD.project_id;
        END IF;
        RETURN NEW;
    END IF;
    -- Locked, so that it does not go to another project before this response can go with it.
    SELECT i.project_id, i.customer_id INTO about
      FROM ringfence.interaction AS i WHERE i.owner_id = ringfence.current_owner() AND i.id = NEW.interaction_id FOR SHARE;
    IF NOT FOUND THEN
        -- One that the session sees and may not write is refused by the policy of responses.
        SELECT i.project_id, i.customer_id INTO about
          FROM ringfence.interaction AS i WHERE i.owner_id = ringfence.current_owner() AND i.id = NEW.interaction_id
           AND NOT ringfence.has_right_in('interaction.write', i.project_id);
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no interaction "%" is in reach', NEW.interaction_id
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id FROM ringfence.interaction lists the interactions that this session sees.';
    END IF;
    SELECT a.question_id, a.project_id, a.kind, a.name, a.field_id, q.text INTO chosen
      FROM ringfence.answer AS a JOIN ringfence.question AS q ON q.owner_id = a.owner_id AND q.id = a.question_id
     WHERE a.owner_id = ringfence.current_owner() AND a.id = NEW.answer_id;
    -- The answer to a question of another project's script, or one that fills a field which the session does not see, is none here.
    IF FOUND AND chosen.field_id IS NOT NULL THEN
        SELECT f.name, f.type INTO filled FROM ringfence.visible_fields() AS f WHERE f.field_id = chosen.field_id;
    END IF;
    IF NOT FOUND OR chosen.project_id IS DISTINCT FROM coalesce(about.project_id, chosen.project_id) THEN
        RAISE EXCEPTION 'no answer "%" is in reach', NEW.answer_id
            USING ERRCODE = 'no_data_found', HINT = 'ringfence.script_form() lists the answers of a script of the interaction''s project.';
    END IF;
    NEW.project_id := about.project_id;
    NEW.question_id := chosen.question_id;
    NEW.field_id := chosen.field_id;
    NEW.question := chosen.text;
    NEW.answer := chosen.name;
    IF chosen.kind = 'choice' THEN
        NEW.value := chosen.name;
    ELSIF NEW.value IS NULL THEN
        RAISE EXCEPTION 'the answer "%" needs a value', left(chosen.name, 200)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Pass the customer''s answer as the argument "value".';
    END IF;
    IF chosen.field_id IS NOT NULL AND about.customer_id IS NOT NULL THEN
        -- A number or a truth that is none is for the field to refuse, by its own error.
        given := CASE
            WHEN filled.type = 'number' AND pg_catalog.btrim(NEW.value) ~ '^[-+]?([0-9]{1,200}([.][0-9]{0,200})?|[.][0-9]{1,200})$' THEN to_jsonb(btrim(NEW.value)::numeric)
            WHEN filled.type = 'boolean' AND lower(btrim(NEW.value)) IN ('true', 'yes', 'false', 'no') THEN to_jsonb(lower(btrim(NEW.value)) IN ('true', 'yes'))
            ELSE to_jsonb(NEW.value) END;
        UPDATE ringfence.customer_card AS card
           SET attributes = card.attributes || jsonb_build_object(filled.name,
               CASE WHEN filled.type <> 'choices' THEN given
                    WHEN coalesce(card.attributes -> filled.name, '[]') ? NEW.value THEN card.attributes -> filled.name
                    ELSE coalesce(card.attributes -> filled.name, '[]') || given END)
         WHERE card.owner_id = ringfence.current_owner() AND card.id = about.customer_id;
    END IF;
    RETURN NEW;
END
$keep$;
REVOKE ALL ON FUNCTION ringfence.keep_response() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_response() IS
    'Trigger: a response keeps question and answer as texts, and fills the answer''s field. Error P0002: an interaction or answer that the session does not see; else those of customer_card';
CREATE TRIGGER keep_response BEFORE INSERT OR UPDATE ON ringfence.response
    FOR EACH ROW EXECUTE FUNCTION ringfence.keep_response();

CREATE FUNCTION ringfence.respond(interaction uuid, answer uuid, value text DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $respond$
#variable_conflict use_variable
DECLARE
    made CONSTANT uuid := ringfence.new_id();
BEGIN
    INSERT INTO ringfence.response (id, interaction_id, answer_id, value) VALUES (made, interaction, answer, value);
    RETURN made;
END
$respond$;
REVOKE ALL ON FUNCTION ringfence.respond(uuid, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.respond(uuid, uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.respond(uuid, uuid, text) IS
    'Keeps an answer, fills its field of the interaction''s customer, and returns the response''s id. Needs interaction.write. Error P0002: no such interaction or answer; 22023: not a value of the field';

CREATE FUNCTION ringfence.put_responses(owner_id uuid, interaction_id uuid, project_id uuid) RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        UPDATE ringfence.response AS moved SET project_id = put_responses.project_id
         WHERE moved.owner_id OPERATOR(pg_catalog.=) put_responses.owner_id
           AND moved.interaction_id OPERATOR(pg_catalog.=) put_responses.interaction_id
           AND moved.project_id IS DISTINCT FROM put_responses.project_id;
    END;
REVOKE ALL ON FUNCTION ringfence.put_responses(uuid, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.put_responses(uuid, uuid, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.put_responses(uuid, uuid, uuid) IS 'Puts the responses of an interaction into a project; internal';

CREATE FUNCTION ringfence.move_responses() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'move_responses_wrapper';
REVOKE ALL ON FUNCTION ringfence.move_responses() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.move_responses() IS 'Trigger: the responses of an interaction go to its project with it, whether the session sees them or not';
-- Where a project is deleted, its interactions and its responses lose it alike.
CREATE TRIGGER move_responses AFTER UPDATE OF project_id ON ringfence.interaction
    FOR EACH ROW WHEN (OLD.project_id IS DISTINCT FROM NEW.project_id AND row_security_active('ringfence.interaction'::regclass))
    EXECUTE FUNCTION ringfence.move_responses();

CREATE FUNCTION ringfence.erase_responses(customer uuid) RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        DELETE FROM ringfence.response AS r USING ringfence.interaction AS i
         WHERE r.owner_id = ringfence.current_owner() AND i.owner_id = r.owner_id AND i.id = r.interaction_id
           AND (i.customer_id = erase_responses.customer
                OR i.customer_id IS NULL AND i.ticket_id IN (SELECT t.id FROM ringfence.ticket AS t
                                                              WHERE t.owner_id = ringfence.current_owner() AND t.customer_id = erase_responses.customer));
    END;
REVOKE ALL ON FUNCTION ringfence.erase_responses(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.erase_responses(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.erase_responses(uuid) IS 'Deletes the responses in the interactions with a customer. Part of erase_customer()';
