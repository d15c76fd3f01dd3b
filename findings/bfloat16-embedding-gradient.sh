#!/usr/bin/env bash
# The gradient of an embedding in bfloat16 stops growing at 256 occurrences of a token, on the CPU, in LibTorch 2.10
# (org.bytedeco:pytorch:2.10.0-1.5.13). embedding() adds the occurrences one by one in bfloat16, where 256 + 1 is 256;
# index_select(), the same function of the table, gives 1000 for 1000. A newline or a frequent word reaches that
# within one batch. The gradient of the same lookup depends on which of the two names was called.
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

void main() throws Exception {
    for (var library : List.of(
            "libgomp.so.1", "libc10.so", "libtorch_cpu.so", "libtorch.so", "libjnitorch.so")) {
        // All are unpacked before the first is opened.
        Loader.cacheResource(torch.class, "/org/bytedeco/pytorch/linux-x86_64/" + library);
    }
    var ids = zeros(new long[] {1000}, new TensorOptions(ScalarType.Long)); // a batch that is one token 1000 times
    for (var type : List.of(ScalarType.Float, ScalarType.BFloat16)) {
        var table = zeros(4, 1).to(type).set_requires_grad(true);
        embedding(table, ids).sum().backward();
        System.out.println(type + ", embedding: " + table.grad().select(0, 0).item_float());
        table = zeros(4, 1).to(type).set_requires_grad(true);
        table.index_select(0, ids).sum().backward();
        System.out.println(type + ", index_select: " + table.grad().select(0, 0).item_float());
    }
}
JAVA
"$java" --enable-native-access=ALL-UNNAMED -Dorg.bytedeco.javacpp.cachedir="$work/cache" -cp 'lib/*' Main.java >seen
diff - seen <<'EXPECTED' || { echo "no longer as described" >&2; exit 1; }
Float, embedding: 1000.0
Float, index_select: 1000.0
BFloat16, embedding: 256.0
BFloat16, index_select: 1000.0
EXPECTED
cat seen
