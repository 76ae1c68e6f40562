#!/usr/bin/env perl
# Finds customers of one owner: find_customer.pl OWNER QUERY   (DBI; connection by the PG* environment variables)

use strict;
use warnings;
use DBI;

my ($owner, $query) = @ARGV;
binmode STDOUT, ':encoding(UTF-8)';

my $connection = DBI->connect('dbi:Pg:', undef, undef, { AutoCommit => 0, RaiseError => 1, PrintError => 0 });

# The owner is bound for one transaction, and is gone when it ends.
$connection->do('SELECT ringfence.enter(?)', undef, $owner);
my $found = $connection->selectall_arrayref('SELECT name, phones FROM ringfence.search_customers(?)', undef, $query);
$connection->commit;
print "$_->[0]\t", join(', ', @{ $_->[1] }), "\n" for @$found;
$connection->disconnect;
