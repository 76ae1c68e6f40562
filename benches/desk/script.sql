-- Of each owner: a script of one question, whose answer fills a field.
SELECT ringfence.create_field('Line', 'choice', '{Sales}', options => '{DSL,Fibre}');
INSERT INTO ringfence.script (name, project_id) SELECT 'No connection', id FROM ringfence.project WHERE name = 'Sales';
INSERT INTO ringfence.question (script_id, text) SELECT id, 'Which line is it?' FROM ringfence.script;
INSERT INTO ringfence.answer (question_id, name, field_id)
    SELECT question.id, 'DSL', field.id FROM ringfence.question, ringfence.field WHERE field.name = 'Line';
