// JDBC: the extended protocol, prepared at the server after five runs, portals with a fetch size, CopyManager, batches, metadata.
import java.io.*;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.PGStatement;
import org.postgresql.copy.CopyManager;

public class JdbcWork {
  static Connection c;

  static void section(String name) {
    System.out.println("== " + name);
  }

  static String row(ResultSet r) throws SQLException {
    ResultSetMetaData m = r.getMetaData();
    StringBuilder s = new StringBuilder();
    for (int i = 1; i <= m.getColumnCount(); i++) {
      Object v = r.getObject(i);
      if (v instanceof byte[]) v = Arrays.toString((byte[]) v);
      if (v instanceof java.sql.Array) v = Arrays.toString((Object[]) ((java.sql.Array) v).getArray());
      if (v instanceof SQLXML) v = ((SQLXML) v).getString();
      s.append(i == 1 ? "" : " | ").append(v);
    }
    return s.toString();
  }

  static void show(ResultSet r) throws SQLException {
    while (r.next()) System.out.println(row(r));
    r.close();
  }

  static void attempt(String sql) throws SQLException {
    try (Statement s = c.createStatement()) {
      s.execute(sql);
      System.out.println("done");
    } catch (SQLException e) {
      System.out.println(e.getSQLState() + " " + e.getMessage());
    }
  }

  public static void main(String[] a) throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    Map<String, String> env = System.getenv();
    String url = "jdbc:postgresql://127.0.0.1:" + env.get("PGPORT") + "/" + env.get("PGDATABASE").replace("/", "%2F");
    Properties p = new Properties();
    p.setProperty("user", env.get("PGUSER"));
    p.setProperty("password", env.get("PGPASSWORD"));
    p.setProperty("sslmode", "verify-full");
    p.setProperty("sslrootcert", env.get("PGSSLROOTCERT"));
    c = DriverManager.getConnection(url, p);
    PGConnection pg = c.unwrap(PGConnection.class);

    section("types, text and binary");
    String kinds = "select * from kinds where id > ? order by id";
    try (PreparedStatement s = c.prepareStatement(kinds)) {
      for (int i = 0; i < 7; i++) {
        s.setInt(1, 0);
        ResultSet r = s.executeQuery();
        if (i == 0 || i == 6) show(r);
        else r.close();
      }
      System.out.println(s.unwrap(PGStatement.class).isUseServerPrepare());
      ResultSetMetaData m = s.getMetaData();
      for (int i = 1; i <= m.getColumnCount(); i++)
        System.out.print(m.getColumnName(i) + ":" + m.getColumnTypeName(i) + ":" + m.getTableName(i) + ":" + m.isNullable(i) + ":" + m.isAutoIncrement(i) + " ");
      System.out.println(s.getParameterMetaData().getParameterTypeName(1));
    }
    try (PreparedStatement s = c.prepareStatement("select ?::text, ?::numeric, ?::date, ?::timestamp, ?::bytea, ?::int[], ?::uuid, ?")) {
      for (int i = 0; i < 6; i++) {
        s.setString(1, "ü" + i);
        s.setBigDecimal(2, new BigDecimal("1.50"));
        s.setDate(3, java.sql.Date.valueOf("2026-01-02"));
        s.setTimestamp(4, Timestamp.valueOf("2026-01-02 03:04:05.6"));
        s.setBytes(5, new byte[] {0, 1});
        s.setArray(6, c.createArrayOf("int4", new Integer[] {1, null}));
        s.setObject(7, new UUID(1, 2));
        s.setInt(8, i);
        show(s.executeQuery());
      }
    }

    section("prepared after five runs");
    try (PreparedStatement s = c.prepareStatement("select id, amount from orders where id = ?")) {
      for (int i = 1; i <= 9; i++) {
        s.setLong(1, i);
        show(s.executeQuery());
      }
      attempt("alter table orders add column extra int");
      s.setLong(1, 3);
      show(s.executeQuery());
      attempt("alter table orders drop column extra");
    }
    try (PreparedStatement s = c.prepareStatement("select * from orders where id = 1")) {
      for (int i = 0; i < 6; i++) s.executeQuery().close();
      attempt("alter table orders add column extra int default 1");
      show(s.executeQuery());
      attempt("alter table orders drop column extra");
      show(s.executeQuery());
    }

    section("portals with a fetch size");
    c.setAutoCommit(false);
    try (PreparedStatement s = c.prepareStatement("select id, placed from orders order by id")) {
      s.setFetchSize(7);
      for (int i = 0; i < 6; i++) {
        ResultSet r = s.executeQuery();
        long sum = 0;
        int rows = 0;
        while (r.next()) {
          sum += r.getLong(1);
          if (++rows == 20 && i == 2) break;
        }
        System.out.println(rows + " " + sum);
        r.close();
      }
    }
    try (Statement s = c.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
      s.setFetchSize(5);
      s.setMaxRows(12);
      try (ResultSet one = s.executeQuery("select id from orders order by id"); Statement inner = c.createStatement()) {
        int n = 0;
        while (one.next()) {
          try (ResultSet two = inner.executeQuery("select count(*) from orders where id < " + one.getLong(1))) {
            two.next();
            n += two.getInt(1);
          }
        }
        System.out.println(n);
      }
    }
    c.commit();

    section("transactions and savepoints");
    attempt("insert into orders (person, amount) values (1, 1)");
    Savepoint save = c.setSavepoint("here");
    attempt("insert into orders (person, amount) values (1, -1)");
    attempt("select 1");
    c.rollback(save);
    attempt("select 1");
    c.rollback();
    c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
    c.setReadOnly(true);
    attempt("delete from orders");
    c.rollback();
    c.setReadOnly(false);
    c.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
    System.out.println(c.getTransactionIsolation() + " " + c.isReadOnly());

    section("batches");
    try (PreparedStatement s = c.prepareStatement("insert into orders (person, amount, note) values (?, ?, ?)", Statement.RETURN_GENERATED_KEYS)) {
      for (int i = 0; i < 300; i++) {
        s.setInt(1, 1 + i % 3);
        s.setBigDecimal(2, new BigDecimal(i));
        s.setString(3, "batch");
        s.addBatch();
      }
      System.out.println(Arrays.stream(s.executeBatch()).sum());
      ResultSet keys = s.getGeneratedKeys();
      int n = 0;
      while (keys.next()) n++;
      System.out.println(n);
      for (int i : new int[] {1, 2, -3, 4}) {
        s.setInt(1, 1);
        s.setBigDecimal(2, new BigDecimal(i));
        s.setString(3, "bad");
        s.addBatch();
      }
      try {
        s.executeBatch();
      } catch (BatchUpdateException e) {
        System.out.println(e.getSQLState() + " " + Arrays.toString(e.getUpdateCounts()));
      }
    }
    c.rollback();
    try (Statement s = c.createStatement()) {
      s.addBatch("insert into orders (person, amount, note) values (1, 1, 'mixed')");
      s.addBatch("update orders set amount = 2 where note = 'mixed'");
      s.addBatch("delete from orders where note = 'mixed'");
      System.out.println(Arrays.toString(s.executeBatch()));
    }
    c.commit();

    section("CopyManager");
    CopyManager copy = pg.getCopyAPI();
    System.out.println(copy.copyIn("copy orders (person, amount, note) from stdin with csv", new StringReader("1,2.5,copied\n2,3.5,\"copied, too\"\n")));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.out.println(copy.copyOut("copy (select person, amount, note from orders where note like 'copied%' order by 1) to stdout", out));
    System.out.println(out.toString(StandardCharsets.UTF_8));
    out.reset();
    copy.copyOut("copy (select id, t, n from kinds order by id) to stdout binary", out);
    System.out.println(Arrays.hashCode(out.toByteArray()) + " " + out.size());
    try {
      copy.copyIn("copy orders (person) from stdin", new StringReader("x\n"));
    } catch (SQLException e) {
      System.out.println(e.getSQLState());
    }
    c.rollback();

    section("updatable and scrollable results");
    try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE); ResultSet r = s.executeQuery("select id, person, amount, note from orders order by id")) {
      r.absolute(3);
      r.updateString("note", "changed");
      r.updateRow();
      r.last();
      r.deleteRow();
      r.moveToInsertRow();
      r.updateInt("person", 1);
      r.updateLong("id", 5000);
      r.insertRow();
      r.beforeFirst();
      int n = 0;
      while (r.next()) n++;
      System.out.println(n);
    }
    try (Statement s = c.createStatement()) {
      show(s.executeQuery("select id, note from orders where id in (3, 60, 5000) order by id"));
    }
    c.rollback();

    section("functions and procedures");
    try (CallableStatement s = c.prepareCall("{? = call add(?, ?)}")) {
      s.registerOutParameter(1, Types.INTEGER);
      s.setInt(2, 20);
      s.setInt(3, 22);
      s.execute();
      System.out.println(s.getInt(1));
    }
    try (PreparedStatement s = c.prepareStatement("call place(?, ?, null)")) {
      s.setInt(1, 2);
      s.setBigDecimal(2, new BigDecimal("7.5"));
      System.out.println(s.execute());
    }
    c.rollback();
    try (Statement s = c.createStatement()) {
      System.out.println(s.execute("select 1; update orders set note = note where id < 3; select 'last'"));
      do {
        if (s.getUpdateCount() >= 0) System.out.println("count " + s.getUpdateCount());
        else if (s.getResultSet() != null) show(s.getResultSet());
      } while (s.getMoreResults() || s.getUpdateCount() != -1);
    }
    c.rollback();

    section("metadata");
    DatabaseMetaData m = c.getMetaData();
    System.out.println(m.getDatabaseProductVersion() + " " + m.getUserName() + " " + m.getDefaultTransactionIsolation() + " " + m.getMaxConnections());
    show(m.getSchemas());
    show(m.getTables(null, "public", "%", new String[] {"TABLE", "VIEW", "SEQUENCE", "TYPE"}));
    show(m.getColumns(null, "public", "%", "%"));
    show(m.getPrimaryKeys(null, "public", "orders"));
    show(m.getImportedKeys(null, "public", "orders"));
    show(m.getExportedKeys(null, "public", "people"));
    show(m.getCrossReference(null, "public", "people", null, "public", "orders"));
    show(m.getIndexInfo(null, "public", "orders", false, true));
    show(m.getFunctions(null, "public", "%"));
    show(m.getFunctionColumns(null, "public", "%", "%"));
    show(m.getProcedures(null, "public", "%"));
    show(m.getProcedureColumns(null, "public", "%", "%"));
    show(m.getTablePrivileges(null, "public", "%"));
    show(m.getColumnPrivileges(null, "public", "orders", "%"));
    show(m.getBestRowIdentifier(null, "public", "orders", DatabaseMetaData.bestRowSession, true));
    show(m.getVersionColumns(null, "public", "orders"));
    show(m.getUDTs(null, "public", "%", null));
    show(m.getTableTypes());
    show(m.getClientInfoProperties());
    int types = 0;
    try (ResultSet r = m.getTypeInfo()) {
      while (r.next()) types++;
    }
    System.out.println(types > 60);
    System.out.println(m.getSQLKeywords().length() > 0);
    c.rollback();

    section("session, notices, cancel and timeouts");
    c.setAutoCommit(true);
    c.setClientInfo("ApplicationName", "conformance");
    c.setSchema("public");
    System.out.println(c.getSchema() + " " + c.isValid(5) + " " + c.getClientInfo("ApplicationName"));
    try (Statement s = c.createStatement()) {
      s.execute("do $$ begin raise notice 'hello'; end $$");
      System.out.println("GUARDED " + s.getWarnings().getMessage());
      s.execute("listen c");
      s.execute("notify c, 'payload'");
      for (PGNotification n : pg.getNotifications(1000)) System.out.println("GUARDED " + n.getParameter());
      s.setQueryTimeout(1);
      try {
        s.execute("select pg_sleep(30)");
      } catch (SQLException e) {
        System.out.println(e.getSQLState());
      }
      s.setQueryTimeout(0);
      show(s.executeQuery("select 'usable'"));
    }

    section("errors");
    attempt("select nonsense");
    attempt("selec 1");
    attempt("select 1/0");
    attempt("select * from nowhere");
    attempt("insert into people (id, name) values (1, 'x')");
    try (PreparedStatement s = c.prepareStatement("select ?::int")) {
      s.setString(1, "x");
      s.executeQuery();
    } catch (SQLException e) {
      System.out.println(e.getSQLState() + " " + e.getMessage());
    }

    try (PreparedStatement s = c.prepareStatement("select name, email from people where id > ? order by id")) {
      for (int i = 0; i < 7; i++) {
        s.setInt(1, 0);
        try (ResultSet r = s.executeQuery()) {
          while (r.next()) if (i == 0 || i == 6) System.out.println("MASKED " + r.getString(1) + " " + r.getString(2));
        }
      }
    }
    c.close();
  }
}
