#!/usr/bin/env bash
# The long forms of the hostile tests, and slowhttptest. Usage: tests/nightly/run.sh [ITEM...]; without items all of them.
# Items: desync secrets injection foreign-hosts sockets slow bombs resets scarcity ports inline slowhttptest
#        network packets clock signals reload soak, and only where they are named: fuzz mutation
# packets and ports need root, network and clock do more with it (dns) or with Debian's faketime. PROXYGATEWAY_SOAK_MINUTES=30.
# fuzz: PROXYGATEWAY_FUZZ_RUNS of each target (10,000,000), of PROXYGATEWAY_FUZZ_TARGET alone if it is set, with PROXYGATEWAY_FUZZ_SEED.
# mutation: PROXYGATEWAY_MUTATE are patterns of files (Recovery/*.cs;Limits/RetryBudget.cs), PROXYGATEWAY_TEST_FOLDER the folders whose
# tests alone must notice (Recovery;Limits); without them all of stryker-config.json and all tests, which takes a day. The circuits' model
# test replays PROXYGATEWAY_HISTORIES (4,000; without mutation 100,000). PROXYGATEWAY_MUTATION_REPORT is the folder of the report.
# PROXYGATEWAY_BINARY names a published gateway to test instead of this build's. Prints what was measured at the end.
set -uo pipefail
cd "$(dirname "$0")/../.."
export PROXYGATEWAY_NIGHTLY=1
export PROXYGATEWAY_FIGURES="${PROXYGATEWAY_FIGURES:-$(mktemp)}"
failed=()

tests() { # PROJECT CLASS...
    local project=$1 filters=()
    shift
    for class in "$@"; do filters+=(-class "*.$class"); done
    dotnet run -c Release --no-build --project "tests/$project" -- "${filters[@]}" -noLogo
}

# Slow headers, slow bodies and slow reads with 1,000 connections each; the tool asks all along whether the service is available.
slowhttptest_modes() {
    command -v slowhttptest > /dev/null || { echo "slowhttptest is not installed (Debian package slowhttptest)"; return 1; }
    local folder status=0 port management gateway agent
    folder=$(mktemp -d)
    read -r port management agent < <(node -e '
        const net = require("net"), s = [0, 1, 2].map(() => net.createServer().listen(0, "127.0.0.1"));
        setTimeout(() => { console.log(s.map(x => x.address().port).join(" ")); s.forEach(x => x.close()); }, 100);')
    node -e '
        const answer = Buffer.from(JSON.stringify({ id: "a", object: "chat.completion", created: 1, model: "m", choices: [{ index: 0, message: { role: "assistant", content: "w".repeat(3e6) }, finish_reason: "stop" }] }));
        require("http").createServer((q, r) => { q.resume().on("end", () => r.writeHead(200, { "content-type": "application/json" }).end(answer)); })
            .listen(+process.argv[1], "127.0.0.1")' "$agent" &
    local agent_pid=$!
    cat > "$folder/appsettings.json" <<JSON
{ "Gateway": { "Listen": "http://127.0.0.1:$port", "ManagementListen": "http://127.0.0.1:$management" },
  "ReverseProxy": {
    "Routes": {
      "chat": { "ClusterId": "agent", "Match": { "Path": "/v1/chat/completions", "Methods": [ "POST" ] }, "StreamingFallback": { "Format": "openai-chat" } },
      "any": { "ClusterId": "agent", "Match": { "Path": "/{**rest}" } } },
    "Clusters": { "agent": { "Destinations": { "a": { "Address": "http://127.0.0.1:$agent" } } } } } }
JSON
    local binary=${PROXYGATEWAY_BINARY:-artifacts/bin/ProxyGateway/release/proxygateway}
    "$binary" run --config "$folder/appsettings.json" > "$folder/log" 2>&1 &
    gateway=$!
    for _ in $(seq 100); do curl -sf "http://127.0.0.1:$management/health/ready" > /dev/null && break; sleep 0.1; done
    local url="http://127.0.0.1:$port/v1/chat/completions"
    mode() { # NAME ARGUMENT...
        local name=$1 said
        shift
        slowhttptest "$@" -c 1000 -r 200 -l 40 -p 3 -g -o "$folder/$name" > "$folder/$name.txt" 2>&1
        # Columns of the CSV: seconds, closed, pending, connected, service available (its own number or 0).
        said=$(awk -F, 'NR > 1 { n++; if ($5 + 0 > 0) up++ } END { printf "available in %d of %d seconds", up, n }' "$folder/$name.csv")
        echo "slowhttptest $name: 1000 connections, 200 a second, 40 s: $said" | tee -a "$PROXYGATEWAY_FIGURES"
        awk -F, 'NR > 1 && $5 + 0 == 0 { exit 1 }' "$folder/$name.csv" || status=1
    }
    mode headers -H -i 10 -u "$url"
    mode body -B -i 10 -s 1000000 -t POST -u "$url"
    mode read -X -w 512 -y 1024 -n 5 -z 32 -u "http://127.0.0.1:$port/large"
    kill -TERM "$gateway" "$agent_pid"
    wait "$gateway" "$agent_pid" 2> /dev/null
    return "$status"
}

# In pieces, so that each says what it found and a cut run has not been for nothing.
fuzz() {
    local total=${PROXYGATEWAY_FUZZ_RUNS:-10000000} piece=500000 from status=0
    dotnet build -c Release -v q --nologo tests/ProxyGateway.SimulationTests || return 1
    for ((from = 0; from < total; from += piece)); do
        PROXYGATEWAY_FUZZ_FROM=$from PROXYGATEWAY_FUZZ_RUNS=$((total - from < piece ? total - from : piece)) \
            dotnet run -c Release --no-build --project tests/ProxyGateway.SimulationTests -- -class "*.Fuzzing.FuzzTests" -noLogo || status=1
    done
    return "$status"
}

# Stryker builds and runs the tests itself; it must start in the folder of the test project.
mutation() {
    dotnet tool restore > /dev/null || return 1
    local only=() patterns pattern
    IFS=';' read -ra patterns <<< "${PROXYGATEWAY_MUTATE:-}"
    for pattern in "${patterns[@]}"; do only+=(-m "**/$pattern"); done
    (cd tests/ProxyGateway.Tests && PROXYGATEWAY_HISTORIES="${PROXYGATEWAY_HISTORIES:-4000}" \
        dotnet stryker -f ../nightly/stryker-config.json "${only[@]}" --skip-version-check -O "${PROXYGATEWAY_MUTATION_REPORT:-$(mktemp -d)}")
}

item() {
    case $1 in
        fuzz) fuzz ;;
        mutation) mutation ;;
        desync) tests ProxyGateway.IntegrationTests DesyncTests UpgradeTests ;;
        secrets) tests ProxyGateway.IntegrationTests SecretTests ;;
        injection) tests ProxyGateway.Tests InjectionTests HostileJsonTests ;;
        foreign-hosts) tests ProxyGateway.IntegrationTests ForeignHostTests ;;
        sockets) tests ProxyGateway.IntegrationTests FaultyStreamTests ;;
        slow) tests ProxyGateway.IntegrationTests SlowClientTests ;;
        bombs) tests ProxyGateway.IntegrationTests BombTests ;;
        resets) tests ProxyGateway.IntegrationTests RapidResetTests ;;
        inline) tests ProxyGateway.IntegrationTests FairnessTests BlockingCallTests ;;
        scarcity) tests ProxyGateway.IntegrationTests ScarcityTests ;;
        # Two hundred ports, in a network of its own: nobody else's are touched.
        ports) unshare -n bash -c 'ip link set lo up && echo "40000 40199" > /proc/sys/net/ipv4/ip_local_port_range && "$@"' - \
            dotnet run -c Release --no-build --project tests/ProxyGateway.IntegrationTests -- -method "*FewEphemeralPorts*" -noLogo ;;
        slowhttptest) slowhttptest_modes ;;
        network) tests ProxyGateway.IntegrationTests LinkTests GoAwayTests UpstreamChangeTests ;;
        # Two hosts with a wire of tunnel devices between them, in a network of its own.
        packets) PROXYGATEWAY_OWN_NETWORK=1 unshare -n bash -c 'ip link set lo up && "$@"' - \
            dotnet run -c Release --no-build --project tests/ProxyGateway.IntegrationTests -- -class "*.PacketLossTests" -noLogo ;;
        clock) tests ProxyGateway.IntegrationTests ClockTests ;;
        signals) tests ProxyGateway.IntegrationTests KillTests ;;
        reload) node tests/nightly/reload-under-load.mjs "${PROXYGATEWAY_BINARY:-artifacts/bin/ProxyGateway/release/proxygateway}" "${PROXYGATEWAY_RELOAD_SECONDS:-120}" | tee -a "$PROXYGATEWAY_FIGURES" ;;
        soak) tests ProxyGateway.IntegrationTests SoakTests ;;
        *) echo "unknown item $1"; return 2 ;;
    esac
}

[ $# -gt 0 ] || set -- desync secrets injection foreign-hosts sockets slow bombs resets scarcity ports inline slowhttptest network packets clock signals reload soak
# Mutation and fuzz build what they need.
if [[ ! "$*" =~ ^(mutation|fuzz)$ ]]; then
    dotnet build -c Release -v q --nologo tests/ProxyGateway.IntegrationTests && dotnet build -c Release -v q --nologo tests/ProxyGateway.Tests || exit 1
fi
for name in "$@"; do
    echo "== $name"
    item "$name" || failed+=("$name")
done
echo "== measured"
cat "$PROXYGATEWAY_FIGURES"
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}"; exit 1; }
