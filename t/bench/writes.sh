# shellcheck shell=sh disable=SC2154  # variables of run.sh
# The part "writes": what puts cost Redis, with one, two and three filters.

puts=20000


# The definitions write1, write2, write3, in a directory.

make_definitions() {
    filter=', "filter": true'

    make_definition "$1" write1 '' ''
    make_definition "$1" write2 "$filter" ''
    make_definition "$1" write3 "$filter" "$filter"
}


# make_definition DIRECTORY NAME PROJECT_FILTER TYPE_FILTER

make_definition() {
    sed -e "s/@NAME@/$2/" -e "s/@PROJECT_FILTER@/$3/" \
        -e "s/@TYPE_FILTER@/$4/" "$here/writes.json" >"$1/$2.json"
}


run_writes() {
    echo
    printf '%-50s %9s %9s %9s\n' "$puts puts each: Redis's CPU time of a put" \
           create status progress

    for n in 1 2 3; do
        printf '%-50s' "filters: $n"
        before=$(used_memory)

        for operation in create status progress; do
            cost=$(put_cost write$n $operation)
            printf ' %6.1f us' "$cost"
            [ $operation != create ] || created=$(used_memory)
        done

        printf '   %d bytes a task\n' $(((created - before) / puts))
    done
}


# put_cost NAME OPERATION: microseconds of a put.

put_cost() {
    began=$(ticks "$redis")
    perl "$here/load.pl" "$socket" "$1" writes $puts "$2"
    echo "$began $(ticks "$redis") $puts $(getconf CLK_TCK)" \
        | awk '{ print ($2 - $1) * 1e6 / $4 / $3 }'
}
