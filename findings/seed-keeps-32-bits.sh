#!/usr/bin/env bash
# A CPU generator of LibTorch 2.10 (org.bytedeco:pytorch:2.10.0-1.5.13) takes a seed of 64 bits, gives all of them
# back from current_seed(), and draws from the lower 32 only: seeds 9 and 9 + 2^32 give the same numbers. Seeds made
# as hash(run) << 32 | worker are the same for every run; of 64-bit hashes two agree among some 77,000 with even odds.
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
    long far = 9 + (1L << 32);
    System.out.println("current_seed of 9 + 2^32 keeps it: " + (make_generator_cpu(far).current_seed() == far));
    System.out.println("draws of 9 and 9 + 2^32 are the same: " + draws(9).equal(draws(far)));
    System.out.println("draws of 9 and 10 are the same: " + draws(9).equal(draws(10)));
}

Tensor draws(long seed) {
    return rand(new long[] {1000}, new GeneratorOptional(make_generator_cpu(seed)), new TensorOptions());
}
JAVA
"$java" --enable-native-access=ALL-UNNAMED -Dorg.bytedeco.javacpp.cachedir="$work/cache" -cp 'lib/*' Main.java >seen
diff - seen <<'EXPECTED' || { echo "no longer as described" >&2; exit 1; }
current_seed of 9 + 2^32 keeps it: true
draws of 9 and 9 + 2^32 are the same: true
draws of 9 and 10 are the same: false
EXPECTED
cat seen
