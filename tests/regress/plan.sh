#!/bin/sh
# A plan as each version of PostgreSQL prints it, in the form of 15, and without the frame that psql draws: SELECT ... \g |$PG_ABS_SRCDIR/plan.sh
# From 18 on rows have decimals, and index scans tell their searches: ringfence makes none of them, and any other number stays to be seen.
sed -E -e '/^ *QUERY PLAN *$/d' -e '/^-+$/d' -e '/^\([0-9]+ rows?\)$/d' -e 's/^ ?(.*[^ ]) *$/\1/' \
    -e 's/(actual rows=[0-9]+)\.00/\1/' -e '/^ *Index Searches: 0$/d' -e 's/InitPlan ([0-9]+) \(returns [^)]*\)/InitPlan \1/' -e 's/\$0|\(InitPlan 1\)\.col1/$0/g'
