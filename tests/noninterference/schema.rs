//! What owner A's roles may name, as the catalog lists it.

use crate::worlds::superuser;
use std::io;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    Bool,
    Int,
    Big,
    Number,
    Float,
    Text,
    Texts,
    Id,
    Ids,
    Ints,
    Date,
    Time,
    Moment,
    Span,
    Json,
    Bytes,
    Oid,
    Class,
    Place,
}

impl Type {
    pub fn of(name: &str) -> Option<Type> {
        Some(match name {
            "boolean" => Type::Bool,
            "integer" => Type::Int,
            "bigint" => Type::Big,
            "numeric" => Type::Number,
            "double precision" => Type::Float,
            "text" => Type::Text,
            "text[]" => Type::Texts,
            "uuid" => Type::Id,
            "uuid[]" => Type::Ids,
            "integer[]" => Type::Ints,
            "date" => Type::Date,
            "time without time zone" => Type::Time,
            "timestamp with time zone" => Type::Moment,
            "interval" => Type::Span,
            "jsonb" => Type::Json,
            "bytea" => Type::Bytes,
            "oid" => Type::Oid,
            "regclass" => Type::Class,
            "tid" => Type::Place,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Type::Bool => "boolean",
            Type::Int => "int",
            Type::Big => "bigint",
            Type::Number => "numeric",
            Type::Float => "float8",
            Type::Text => "text",
            Type::Texts => "text[]",
            Type::Id => "uuid",
            Type::Ids => "uuid[]",
            Type::Ints => "int[]",
            Type::Date => "date",
            Type::Time => "time",
            Type::Moment => "timestamptz",
            Type::Span => "interval",
            Type::Json => "jsonb",
            Type::Bytes => "bytea",
            Type::Oid => "oid",
            Type::Class => "regclass",
            Type::Place => "tid",
        }
    }
}

#[derive(Clone)]
pub struct Column {
    pub name: String,
    pub kind: Type,
    /// Applications may read it.
    pub open: bool,
}

#[derive(Clone)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
}

pub struct Function {
    pub name: String,
    pub takes: Vec<Type>,
    pub gives: Type,
    pub ours: bool,
}

pub struct Operator {
    pub name: String,
    pub left: Option<Type>,
    pub right: Type,
    pub gives: Type,
}

pub struct Schema {
    pub tables: Vec<Table>,
    pub functions: Vec<Function>,
    /// Of the extension, those that give rows.
    pub sets: Vec<Function>,
    pub operators: Vec<Operator>,
}

/// Functions that are not the same twice, wait, or tell of the server: what PostgreSQL shows whatever an extension does.
const NOT_COMPARABLE: &str = "^(amvalidate|pg_sleep|pg_advisory|pg_try_advisory|pg_backend_pid|inet_|txid|pg_current_|pg_snapshot|pg_export|pg_stat_|pg_conf|pg_postmaster|\
    pg_terminate|pg_cancel|pg_log_|pg_notif|lo_|lowrite|loread|pg_.*_size$|pg_size|gen_random|uuidv|now$|clock_|statement_t|transaction_t|timeofday|age$|random|setseed|pg_ls|pg_read|\
    pg_lock|pg_blocking|pg_isolation|pg_safe|pg_prepared|pg_cursor|pg_last|pg_wal|pg_switch|pg_create|pg_drop|pg_rotate|pg_reload|pg_promote|pg_is_|pg_get_wal|\
    nextval|currval|lastval|setval|set_config|pg_replication|pg_logical|pg_start|pg_stop|pg_backup|binary_upgrade|pg_my_temp|pg_get_backend|pg_control|pg_event|\
    repeat|lpad|rpad|has_|row_security|ts_stat|ts_rewrite|pg_stat|pg_xact|pg_xid|mxid|pg_tablespace|pg_relation|pg_collation_actual|pg_database_collation|pg_import|version|\
    query_to|cursor_to|table_to|schema_to|database_to|new_id|generate_series|pg_describe|pg_identify|current_setting|pg_filenode|pg_show|pg_options|lcm|factorial|\
    numeric_|float8|int4|int8|jsonb_path|pg_char|pg_nextoid|pg_partition|pg_column|ri_|RI_|brin|gin|gist|spg|hash|bt|bool_accum|array_agg|make_interval|\
    to_timestamp|date_|time_|timetz|timestamp|interval)";

impl Schema {
    pub fn read(database: &str) -> io::Result<Schema> {
        let mut server = superuser(database)?;
        let mut tables: Vec<Table> = Vec::new();
        let columns = "SELECT format('%I.%I', nspname, relname), attname, format_type(atttypid, NULL),
                              has_column_privilege('ringfence_user', pg_class.oid, attnum, 'SELECT')
                         FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace JOIN pg_attribute ON attrelid = pg_class.oid
                        WHERE nspname IN ('ringfence', 'ringfence_report') AND relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped
                        ORDER BY 1, attnum";
        for row in server.rows(columns)? {
            let Some([table, name, kind, open]) = known(row) else { continue };
            if tables.last().is_none_or(|last| last.name != table) {
                tables.push(Table { name: table, columns: Vec::new() });
            }
            if let (Some(kind), Some(table)) = (Type::of(&kind), tables.last_mut()) {
                table.columns.push(Column { name, kind, open: open == "t" });
            }
        }
        let mine = |name: &str, columns: &[(&str, Type)]| Table {
            name: name.to_owned(),
            columns: columns
                .iter()
                .map(|(name, kind)| Column { name: (*name).to_owned(), kind: *kind, open: true })
                .collect(),
        };
        let (text, id) = (Type::Text, Type::Id);
        tables.push(mine(
            "mine",
            &[
                ("id", Type::Int),
                ("name", text),
                ("phone", text),
                ("customer", id),
                ("day", Type::Date),
                ("n", Type::Number),
                ("texts", Type::Texts),
            ],
        ));
        tables.push(mine(
            "plain_view",
            &[("id", id), ("owner_id", id), ("name", text), ("address", text), ("phone", text), ("company_id", id)],
        ));
        tables.push(mine(
            "barrier_view",
            &[("id", id), ("owner_id", id), ("name", text), ("phones", Type::Texts), ("address", text)],
        ));
        tables
            .push(mine("invoker_view", &[("id", id), ("name", text), ("attributes", Type::Json), ("company_id", id)]));
        tables.push(mine("owner_view", &[("id", id), ("name", text), ("country", text), ("enabled", Type::Bool)]));

        let (mut functions, mut sets) = (Vec::new(), Vec::new());
        let all = format!(
            "SELECT format('%I.%I', nspname, proname), array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) AS t), ';'),
                    format_type(prorettype, NULL), proretset, nspname = 'ringfence'
               FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
              WHERE prokind = 'f' AND provariadic = 0 AND (nspname = 'ringfence' OR nspname = 'pg_catalog' AND NOT proretset AND proname !~ '{NOT_COMPARABLE}')
                AND has_function_privilege('ringfence_user', pg_proc.oid, 'EXECUTE') AND proname <> 'new_id' ORDER BY 1, 2, 3"
        );
        for row in server.rows(&all)? {
            let Some([name, takes, gives, is_set, ours]) = known(row) else { continue };
            let takes: Option<Vec<Type>> = takes.split(';').filter(|kind| !kind.is_empty()).map(Type::of).collect();
            let Some(takes) = takes else { continue };
            let gives = Type::of(&gives);
            if is_set == "t" {
                sets.push(Function { name, takes, gives: Type::Bool, ours: true });
            } else if let Some(gives) = gives {
                functions.push(Function { name, takes, gives, ours: ours == "t" });
            }
        }
        let mut operators = Vec::new();
        let all = "SELECT oprname, coalesce(format_type(nullif(oprleft, 0), NULL), ''), format_type(oprright, NULL), format_type(oprresult, NULL), ''
                     FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprcode <> 0 ORDER BY 1, 2, 3, 4";
        for row in server.rows(all)? {
            let Some([name, left, right, gives, _]) = known(row) else { continue };
            if (left.is_empty() || Type::of(&left).is_some())
                && let (Some(right), Some(gives)) = (Type::of(&right), Type::of(&gives))
            {
                operators.push(Operator { name, left: Type::of(&left), right, gives });
            }
        }
        Ok(Schema { tables, functions, sets, operators })
    }
}

fn known<const N: usize>(row: Vec<Option<String>>) -> Option<[String; N]> {
    let values: Option<Vec<String>> = row.into_iter().collect();
    values?.try_into().ok()
}
