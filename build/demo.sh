#!/usr/bin/env bash
# demo.sh BINARY: the checklist of docs/howto/smoke-test.md without a hand.
# Writes a fresh starter, serves it, triggers each action, follows it to its
# end, and compares what was said with the record. Exits with 0 when all holds.
set -uo pipefail
telltale=$(realpath "$1")
work=$(mktemp -d)
export TELLTALE_DATA=$work/data TELLTALE_CONFIG=$work/smoke/telltale.yaml NO_COLOR=1
unset TELLTALE_SERVER TELLTALE_LISTEN
server=
faults=0

finish() {
  [[ -n $server ]] && kill -9 "$server" 2>/dev/null && wait "$server" 2>/dev/null
  rm -rf "$work"
}
trap finish EXIT

hold() { printf '  holds  %s\n' "$*"; }
fault() { printf '  FAULT  %s\n' "$*"; faults=$((faults + 1)); }

# start: serves the starter on a free port and waits for its line.
start() {
  : >"$work/out"
  "$telltale" serve --listen 127.0.0.1:0 >"$work/out" 2>>"$work/log" &
  server=$!
  for _ in {1..100}; do
    grep -q '^listening on http://' "$work/out" && return
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/log"
  fault "serve did not say that it listens"
  exit 1
}

# field NAME JSON: the first text of that name; those of the job come before
# those of its steps.
field() { grep -oE "\"$1\":\"[^\"]*\"" <<<"$2" | head -n 1 | cut -d '"' -f 4; }

# check EXIT STATE PATTERN words of telltale run...: the outcome, the states on
# the way, the pattern in the record, and that the record is what was said.
check() {
  local exit=$1 state=$2 pattern=$3 said got record id
  shift 3
  said=$("$telltale" run "$@" --json 2>"$work/states")
  got=$?
  id=$(field id "$said")
  record=$("$telltale" status "$id" --json 2>>"$work/log")
  if [[ $got != "$exit" ]]; then fault "run $*: exit code $got, not $exit: $said $(cat "$work/states")"
  elif [[ $(field state "$record") != "$state" ]]; then fault "run $*: $(field state "$record"), not $state"
  elif [[ $record != "$said" ]]; then fault "run $*: the record is not what was said: $record"
  elif ! grep -qE "$pattern" <<<"$record"; then fault "run $*: no '$pattern' in $record"
  elif ! grep -q ': queued' "$work/states" || ! grep -q ': running' "$work/states"; then fault "run $*: not seen queued and running: $(cat "$work/states")"
  else hold "$(printf '%-56s %-11s %s' "run $*" "$state" "$(field summary "$record")")"
  fi
}

# until_says PATTERN command...: the command says it within ten seconds.
until_says() {
  local pattern=$1
  shift
  for _ in {1..100}; do
    "$@" 2>&1 | grep -qE "$pattern" && return
    sleep 0.1
  done
  return 1
}

free_port() {
  local port
  for port in {18110..18199}; do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

"$telltale" init "$work/smoke" >/dev/null || exit 1
sed -i "s/8099/$(free_port)/" "$TELLTALE_CONFIG" # the practice service may run elsewhere on this machine
"$telltale" validate || exit 1
start
echo "the starter at $(sed 's/listening on //' "$work/out")"

echo "each action, each outcome"
check 0 succeeded '2 commits pushed to Berlin/main' push --target berlin
check 0 succeeded 'Nothing to do' push --target berlin
check 1 failed '"code":"non_fast_forward".*Pull from Oslo first' push --target oslo
check 0 succeeded '1 commit pulled from Oslo/main' pull --target oslo
check 1 failed 'sign' push --target berlin -p allow_unsigned=false
check 0 succeeded 'completed a request' dedalus-test
check 1 failed 'The key was refused' dedalus-test -p key=wrong
check 3 warning 'limits how often' dedalus-test -p key=practice-rate-limited
check 0 succeeded 'practice/slow' dedalus-test -p model=practice/slow
check 3 warning '1 skipped.*TestSlugKeepsUmlauts' tests
check 0 succeeded 'fail' break-tests
check 1 failed 'TestNobodyBrokeIt' tests
check 0 succeeded 'whole again' break-tests
check 3 warning 'in use' disk
check 0 succeeded '"percent":100.*files copied' backup -p pause=0
check 0 succeeded 'Committed as' note -p text=Smoke.
check 3 warning 'commits no peer has' colleague --target berlin

echo "what must hold whatever happens"
id=$(field id "$("$telltale" run backup -p pause=2 --no-follow --json)")
until_says running "$telltale" status "$id" && "$telltale" cancel "$id" >/dev/null
"$telltale" logs -f "$id" >/dev/null
if until_says 'canceled' "$telltale" status "$id"; then hold "a job is stopped when somebody asks"; else fault "job $id was not canceled"; fi

"$telltale" run dedalus-test -p model=practice/slow --json >"$work/one" 2>/dev/null &
one=$!
"$telltale" run dedalus-test -p model=practice/slow --json >"$work/two" 2>/dev/null
wait "$one"
if [[ -s $work/one ]] && cmp -s "$work/one" "$work/two"; then hold "two start at once: one job, both are told its end"; else fault "two starts at once: $(cat "$work/one" "$work/two")"; fi

if grep -rqE 'wrong|practice-key' "$work/data/logs" 2>/dev/null; then fault "a key stands in a log"; else hold "no key stands in a log"; fi

sed -i 's/title: Push/tilte: Push/' "$TELLTALE_CONFIG"
if until_says 'tilte' "$telltale" actions && "$telltale" actions 2>/dev/null | grep -q '^push  Push'; then
  hold "a broken catalog is refused with the reason, the old one counts"
else
  fault "the broken catalog: $("$telltale" actions 2>&1)"
fi
sed -i 's/tilte: Push/title: Push/' "$TELLTALE_CONFIG"

id=$(field id "$("$telltale" run backup -p pause=2 --no-follow --json)")
until_says running "$telltale" status "$id"
kill -9 "$server" && wait "$server" 2>/dev/null
start
if until_says 'interrupted' "$telltale" status "$id"; then hold "killed in mid-job: the job is interrupted after the restart"; else fault "after a kill: $("$telltale" status "$id" 2>&1)"; fi

count=$("$telltale" jobs --json --limit 1000 | grep -c '"id":')
if ((count == 20)); then hold "nothing is lost: 20 jobs are on record"; else fault "20 jobs were accepted, $count are on record"; fi
if [[ $("$telltale" jobs --state running --json) == '[]' ]]; then hold "nothing runs any more"; else fault "still running: $("$telltale" jobs --state running)"; fi

kill -TERM "$server"
wait "$server"
code=$?
server=
if ((code == 0)); then hold "the server ends when asked"; else fault "the server ended with $code: $(tail -n 3 "$work/log")"; fi

if ((faults)); then
  echo "$faults things do not hold"
  exit 1
fi
echo "all of it holds"
