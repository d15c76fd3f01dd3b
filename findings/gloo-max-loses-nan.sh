#!/usr/bin/env bash
# All-reduce by MAX or MIN over Gloo in LibTorch 2.10 (org.bytedeco:pytorch:2.10.0-1.5.13, CPU) keeps a NaN of rank 0
# and loses a NaN of rank 1; SUM keeps both. It compares as std::max does, whose answer for a NaN depends on the order
# of its arguments. A watch for bad numbers that reduces its largest value by MAX sees a NaN of the first worker only,
# and tells all workers that nothing is wrong.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
for java in "${JAVA_HOME:-/none}/bin/java" "$(command -v java || true)" ""; do
    [ "$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')" -ge 25 ] 2>/dev/null && break
done
[ -n "$java" ] || { echo "needs a JDK 25 or newer, in JAVA_HOME or on the PATH" >&2; exit 2; }

{
    echo "<project><modelVersion>4.0.0</modelVersion><groupId>f</groupId><artifactId>f</artifactId><version>1</version>"
    echo "<dependencies>"
    for library in pytorch:2.10.0-1.5.13 openblas:0.3.31-1.5.13 javacpp:1.5.13; do
        for classifier in "" "<classifier>linux-x86_64</classifier>"; do
            echo "<dependency><groupId>org.bytedeco</groupId><artifactId>${library%:*}</artifactId>"
            echo "<version>${library#*:}</version>$classifier</dependency>"
        done
    done
    echo "</dependencies></project>"
} >pom.xml
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies -DoutputDirectory=lib \
    >mvn.log 2>&1 || { cat mvn.log >&2; exit 2; }

cat >Main.java <<'JAVA'
import static org.bytedeco.pytorch.global.torch.*;

import org.bytedeco.javacpp.*;
import org.bytedeco.pytorch.*;
import org.bytedeco.pytorch.global.torch;

void main(String[] arguments) throws Exception {
    for (var library : List.of(
            "libgomp.so.1", "libc10.so", "libtorch_cpu.so", "libtorch.so", "libjnitorch.so",
            "libjnitorch_gloo.so")) {
        // All are unpacked before the first is opened.
        Loader.cacheResource(torch.class, "/org/bytedeco/pytorch/linux-x86_64/" + library);
    }
    Loader.load(org.bytedeco.pytorch.presets.torch_gloo.class);
    int rank = Integer.parseInt(arguments[0]);
    var options = ProcessGroupGloo.Options.create();
    options.devices().push_back(ProcessGroupGloo.createDeviceForHostname("127.0.0.1"));
    var group = new ProcessGroupGloo(new FileStore("store", 2), rank, 2, options);
    for (int nan = 0; nan < 2; nan++) {
        for (var op : List.of(ReduceOp.RedOpType.SUM, ReduceOp.RedOpType.MAX, ReduceOp.RedOpType.MIN)) {
            var t = full(new long[] {1}, new Scalar(rank == nan ? Double.NaN : 1));
            group.allreduce(new TensorVector(t), new AllreduceOptions().reduceOp(new ReduceOp(op)))._wait();
            if (rank == 0) {
                System.out.println("NaN of rank " + nan + ", " + op + ": " + t.item_float());
            }
        }
    }
    group.barrier()._wait();
}
JAVA
for rank in 0 1; do
    timeout 300 "$java" --enable-native-access=ALL-UNNAMED -Dorg.bytedeco.javacpp.cachedir="$work/cache$rank" \
        -cp 'lib/*' Main.java $rank >seen$rank &
done
wait
grep '^NaN' seen0 >seen
diff - seen <<'EXPECTED' || { echo "no longer as described" >&2; exit 1; }
NaN of rank 0, SUM: NaN
NaN of rank 0, MAX: NaN
NaN of rank 0, MIN: NaN
NaN of rank 1, SUM: NaN
NaN of rank 1, MAX: 1.0
NaN of rank 1, MIN: 1.0
EXPECTED
cat seen
