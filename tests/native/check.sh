#!/usr/bin/env bash
# Publishes the gateway as one native file (Native AOT), starts it, and sends two chats through it: a good one and one whose agent
# breaks off. Usage: tests/native/check.sh [STARTS]; STARTS times the start to the first answer, and prints the median.
# PROXYGATEWAY_BINARY names a file that is published already.
set -uo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
pids=()
# shellcheck disable=SC2317
leave() {
    for pid in "${pids[@]}"; do kill -TERM "$pid" 2> /dev/null; done
    wait
    rm -rf "$folder"
}
trap leave EXIT
fail() {
    echo "native: FAILED: $1"
    [ -f "${2:-}" ] && tail -20 "$2"
    exit 1
}

binary=${PROXYGATEWAY_BINARY:-}
if [ -z "$binary" ]; then
    command -v clang > /dev/null || command -v gcc > /dev/null || fail "no linker: Native AOT links with clang (Debian package clang)"
    [ -f /usr/include/zlib.h ] || fail "no zlib.h: Native AOT links with zlib (Debian package zlib1g-dev)"
    began=$SECONDS
    # One node: nothing stays behind, and the time below is all there is.
    dotnet publish src/ProxyGateway -c Release -r linux-x64 -p:PublishAot=true -m:1 -nodeReuse:false --nologo -o "$folder/out" > "$folder/publish.log" 2>&1 \
        || fail "dotnet publish" "$folder/publish.log"
    ! grep -E 'warning [A-Z]+[0-9]+' "$folder/publish.log" || fail "the native compiler warns"
    read -r user system _ < <(awk '{ print $16 / 100, $17 / 100 }' /proc/$$/stat)
    echo "native: published in $((SECONDS - began)) s (${user} s + ${system} s of CPU)"
    binary=$folder/out/proxygateway
fi

free_port() {
    local port
    while port=$((RANDOM % 10000 + 20000)) && (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do :; done
    echo "$port"
}
agent=$(free_port) port=$(free_port) management=$(free_port)
cat > "$folder/appsettings.json" <<JSON
{ "Gateway": { "Listen": "http://127.0.0.1:$port", "ManagementListen": "http://127.0.0.1:$management", "Drain": { "Delay": "00:00:00" } },
  "ReverseProxy": {
    "Routes": { "chat": { "ClusterId": "agent", "Match": { "Path": "/v1/chat/completions", "Methods": [ "POST" ] }, "StreamingFallback": { "Format": "openai-chat" } } },
    "Clusters": { "agent": { "Destinations": { "a": { "Address": "http://127.0.0.1:$agent" } } } } } }
JSON

"$binary" demo-agent --listen "http://127.0.0.1:$agent" --token-delay 00:00:00 > "$folder/agent.log" 2>&1 &
pids+=($!)
for _ in $(seq 200); do (exec 3<> "/dev/tcp/127.0.0.1/$agent") 2> /dev/null && break; sleep 0.05; done

start() {
    "$binary" run --config "$folder/appsettings.json" > "$folder/gateway.log" 2>&1 &
    gateway=$!
    pids+=("$gateway")
}
stop() {
    kill -TERM "$gateway"
    wait "$gateway" || fail "the gateway ended with $?" "$folder/gateway.log"
}
chat() { # MODEL
    curl -sS --max-time 20 "http://127.0.0.1:$port/v1/chat/completions" -H 'content-type: application/json' \
        -d "{\"model\":\"$1\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"
}

start
for _ in $(seq 200); do curl -sf "http://127.0.0.1:$management/health/ready" > /dev/null && break; sleep 0.05; done
curl -sf "http://127.0.0.1:$management/health/ready" > /dev/null || fail "not ready within 10 s" "$folder/gateway.log"
idle=$(awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$gateway/status")
for model in demo-good demo-reset-12; do
    chat "$model" > "$folder/answer" 2> "$folder/curl.log" || fail "$model: no answer" "$folder/curl.log"
    [ "$(grep -c '^data: \[DONE\]' "$folder/answer")" = 1 ] || fail "$model: the stream is not whole" "$folder/answer"
done
grep -q 'exchange recovered' "$folder/gateway.log" || { sleep 1; grep -q 'exchange recovered' "$folder/gateway.log"; } || fail "nothing was recovered" "$folder/gateway.log"
stop
echo "native: serves and recovers; $(($(stat -c %s "$binary") / 1000000)) MB, idle ${idle} MB"

if [ "${1:-0}" -gt 0 ]; then
    # What asks is started again for each question; its own time is in the figure.
    for _ in $(seq "$1"); do
        since=$(date +%s%N)
        start
        until chat demo-good > "$folder/answer" 2> /dev/null; do :; done
        echo $((($(date +%s%N) - since) / 1000000))
        stop
    done | sort -n > "$folder/starts" || exit 1
    echo "native: start to first answer: median $(awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }' "$folder/starts") ms ($(head -1 "$folder/starts") to $(tail -1 "$folder/starts")), load $(cut -d' ' -f1 /proc/loadavg)"
fi
