import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import javax.persistence.EntityManager;
import javax.persistence.EntityManagerFactory;
import javax.persistence.Persistence;

public class Try {
    static final UUID TSAI_A = UUID.fromString("a0000000-0000-0000-0000-000000000001");

    static Set<String> names(EntityManager manager) {
        return new TreeSet<>(manager.createQuery("SELECT c.name FROM Customer c", String.class).getResultList());
    }

    static void same(Object expected, Object found) {
        if (!expected.equals(found)) {
            throw new AssertionError(expected + " is not " + found);
        }
    }

    static void refused(String part, Runnable work) {
        try {
            work.run();
        } catch (RuntimeException error) {
            same(true, error.getMessage().contains(part));
            return;
        }
        throw new AssertionError("not refused: " + part);
    }

    static EntityManagerFactory factory(Map<String, String> more) {
        Map<String, String> properties = new java.util.HashMap<>(more);
        properties.put("javax.persistence.jdbc.url",
            "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT")
                + "/" + System.getenv("PGDATABASE"));
        properties.put("javax.persistence.jdbc.user", System.getenv("PGUSER"));
        properties.put("javax.persistence.jdbc.password", System.getenv("PGPASSWORD"));
        properties.put("eclipselink.logging.level", "OFF");
        return Persistence.createEntityManagerFactory("desk", properties);
    }

    public static void main(String[] arguments) {
        EntityManagerFactory factory = factory(Map.of());

        // Each owner sees its own.
        same(Set.of("Chen Wei", "Tsai Mei-Ling", "蔡美玲"), Owners.as("Company A", factory, Try::names));
        same(Set.of("Tsai Mei-Ling", "Łukasz Kowalski"), Owners.as("Company B", factory, Try::names));
        refused("no owner is selected", () -> names(factory.createEntityManager()));
        refused("no owner is selected", () -> {
            EntityManager manager = factory.createEntityManager();
            manager.createNativeQuery("SELECT ringfence.enter('Company A')").getSingleResult();
            names(manager);
        });
        refused("has no access to owner", () -> Owners.as("Company C", factory, Try::names));

        // A suite rolls back.
        EntityManager suite = factory.createEntityManager();
        suite.getTransaction().begin();
        suite.createNativeQuery("SELECT ringfence.enter('Company A')").getSingleResult();
        suite.persist(new Customer("Only a test"));
        suite.flush();
        same(true, names(suite).contains("Only a test"));
        suite.getTransaction().rollback();
        suite.close();
        same(false, Owners.as("Company A", factory, Try::names).contains("Only a test"));

        // Written, read, changed and written back.
        // EclipseLink writes all columns of a new row, with NULL where nothing is set.
        UUID id = Owners.as("Company A", factory, manager -> {
            Customer added = new Customer("Wu");
            manager.persist(added);
            return added.id;
        });
        Owners.as("Company A", factory, manager -> {
            Customer read = manager.find(Customer.class, id);
            same("Wu", read.name);
            same(true, read.createdAt != null);
            read.name = "Wu Mei";
            read.createdAt = new java.sql.Timestamp(0);
            return null;
        });
        Owners.as("Company A", factory, manager -> {
            Customer read = manager.find(Customer.class, id);
            same("Wu Mei", read.name);
            same(true, read.createdAt.getTime() > 0);
            return null;
        });

        // The cure: nothing of Company A is found for Company B.
        Owners.as("Company A", factory, manager -> manager.find(Customer.class, TSAI_A));
        same(true, Owners.as("Company B", factory, manager -> manager.find(Customer.class, TSAI_A)) == null);
        factory.close();

        // The danger: the shared cache, which is on by default, keeps what was written, and finds it for Company B.
        EntityManagerFactory cached = factory(Map.of("javax.persistence.sharedCache.mode", "ALL"));
        Owners.as("Company A", cached, manager -> manager.find(Customer.class, TSAI_A).address = "Taipei");
        same("Taipei", Owners.as("Company B", cached, manager -> manager.find(Customer.class, TSAI_A)).address);
        cached.close();
    }
}
