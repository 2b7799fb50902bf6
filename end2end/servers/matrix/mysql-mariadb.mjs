import mariadb from "./mariadb.mjs";

/** Whoever chooses MySQL for a MariaDB. */
export default async function mysqlOfMariadb() {
  return { ...(await mariadb()), protocol: "MySQL, spoken to MariaDB", component: "mysql" };
}
