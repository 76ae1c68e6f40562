// Finds customers of one owner: java FindCustomer OWNER QUERY   (JDBC; connection by the PG* environment variables)

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

public class FindCustomer {
    public static void main(String[] arguments) throws SQLException {
        String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
        try (Connection connection = DriverManager.getConnection(url, System.getenv("PGUSER"), System.getenv("PGPASSWORD"))) {
            // The owner is bound for one transaction, and is gone when it ends.
            connection.setAutoCommit(false);
            try (PreparedStatement enter = connection.prepareStatement("SELECT ringfence.enter(?)")) {
                enter.setString(1, arguments[0]);
                enter.execute();
            }
            try (PreparedStatement search = connection.prepareStatement("SELECT name, phones FROM ringfence.search_customers(?)")) {
                search.setString(1, arguments[1]);
                try (ResultSet found = search.executeQuery()) {
                    while (found.next()) {
                        String[] phones = (String[]) found.getArray("phones").getArray();
                        System.out.println(found.getString("name") + "\t" + String.join(", ", phones));
                    }
                }
            }
            connection.commit();
        }
    }
}
