-- The roles of fill.sql, once a cluster.
\set ON_ERROR_STOP on
CREATE ROLE dba LOGIN;
CREATE ROLE app_a LOGIN;
CREATE ROLE app_b LOGIN;
CREATE ROLE app_ab LOGIN;
CREATE ROLE app_token LOGIN;
CREATE ROLE app_none LOGIN;
CREATE ROLE boss_a LOGIN;
CREATE ROLE sales_a LOGIN;
CREATE ROLE auditor;
CREATE ROLE migrations;
