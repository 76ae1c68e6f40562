// Takes a call: java TakeCall LINE CALLER SUBJECT   (JDBC; connection by the PG* environment variables)
// Whose line it is says the database. All that follows is done for that owner, in one transaction.

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;

public class TakeCall {
    public static void main(String[] arguments) throws SQLException {
        String line = arguments[0], caller = arguments[1], subject = arguments[2];
        String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
        try (Connection connection = DriverManager.getConnection(url, System.getenv("PGUSER"), System.getenv("PGPASSWORD"))) {
            connection.setAutoCommit(false);
            Object[] route = row(connection, "SELECT owner_id, owner_name, channel_id, project_id FROM ringfence.route('phone', ?)", line);
            connection.commit();
            if (route == null) {
                System.err.println(line + " is nobody's line");
                System.exit(1);
            }
            UUID channel = (UUID) route[2], project = (UUID) route[3];
            row(connection, "SELECT ringfence.enter(?::uuid, ?::text, 'TakeCall')", route[0], project);
            Object[] found = row(connection, "SELECT customer_id, name FROM ringfence.find_by_phone(?) LIMIT 1", caller);
            UUID customer = found == null ? null : (UUID) found[0];
            Object ticket = row(connection, "SELECT ringfence.open_ticket(?::uuid, ?, channel => ?::uuid)", customer, subject, channel)[0];
            Object call = row(connection, "SELECT ringfence.log_interaction('call', customer => ?::uuid, ticket => ?::uuid, channel => ?::uuid, remote_address => ?)",
                customer, ticket, channel, caller)[0];
            // The first answer to the first question of the project's script.
            Object[] answer = row(connection, "SELECT form.answer_id FROM ringfence.script CROSS JOIN LATERAL ringfence.script_form(script.id::text) AS form"
                + " WHERE project_id = ?::uuid LIMIT 1", project);
            if (answer != null) {
                row(connection, "SELECT ringfence.respond(?::uuid, ?::uuid, '12')", call, answer[0]);
            }
            Object number = row(connection, "SELECT number FROM ringfence.ticket WHERE id = ?::uuid", ticket)[0];
            connection.commit();
            System.out.println(route[1] + "\t" + (found == null ? "somebody unknown" : found[1]) + "\t" + subject + "\t" + (answer == null ? "no script" : "answered"));
            System.err.println("ticket " + number);
        }
    }

    /** The first row, or null. */
    private static Object[] row(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int n = 0; n < values.length; n++) {
                statement.setObject(n + 1, values[n]);
            }
            try (ResultSet rows = statement.executeQuery()) {
                if (!rows.next()) {
                    return null;
                }
                Object[] row = new Object[rows.getMetaData().getColumnCount()];
                for (int n = 0; n < row.length; n++) {
                    row[n] = rows.getObject(n + 1);
                }
                return row;
            }
        }
    }
}
