# shellcheck shell=sh disable=SC2154  # variables of run.sh
# The part "coherence": readers on four workers beside 5,000 writes a second,
# none of whom may see anything older than what was written before it asked.

coherence_reads=200000


run_coherence() {
    end tasks
    sed -i 's/^worker_processes .*/worker_processes 4;/' "$dir/tasks/nginx.conf"
    sed -i 's/^    listen .*/&\n    add_header X-Worker $pid;/' \
        "$dir/tasks/server.conf"
    start_nginx tasks '/tasks?scope=small'

    "$dir/coherence" "$socket" "$(port_of tasks)" 5000 $coherence_reads \
        >"$dir/coherence.out" \
        || [ -s "$dir/coherence.out" ] || fail "the readers fail"

    read -r reads writes workers stale contradictory missing broken \
        <"$dir/coherence.out"

    echo
    echo "$reads reads from $workers workers beside $writes writes/s: $stale" \
         "stale, $contradictory contradictory, $missing missing, $broken broken"

    target "stale or contradictory answers, of $reads" '<' 1 \
        $((stale + contradictory + missing + broken))
    target "workers that answered them" '>=' 4 "$workers"
    target "writes/s beside them" '>=' 4750 "$writes"
}
