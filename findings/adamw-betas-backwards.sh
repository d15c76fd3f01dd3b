#!/usr/bin/env bash
# AdamWOptions.betas() of LibTorch for Java 2.10.0-1.5.13 has beta2 at index 0 and beta1 at index 1. PyTorch writes
# betas=(0.9, 0.999), first beta1. The binding shows a std::tuple<double, double> as a pointer to two doubles, and
# libstdc++ lays a tuple out from its end. Whoever puts 0.9 and 0.999 in the known order trains with beta1 0.999 and
# beta2 0.9, without any message. After gradients 1 and 0 at a rate of 1 the second step is b1 / (1 + b1) / sqrt(b2 /
# (1 + b2)): 0.6701 for beta1 0.9 and beta2 0.999, and 0.7261 with both exchanged.
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
    var stock = new AdamWOptions(1e-3).betas();
    System.out.println("betas as they come: " + stock.get(0) + ", " + stock.get(1));
    System.out.printf("put(0, 0.9), put(1, 0.999): second step %.4f%n", secondStep(0.9, 0.999));
    System.out.printf("put(0, 0.999), put(1, 0.9): second step %.4f%n", secondStep(0.999, 0.9));
}

double secondStep(double first, double second) {
    var options = new AdamWOptions(1);
    options.weight_decay().put(0);
    options.eps().put(0);
    options.betas().put(0, first).put(1, second);
    var weight = zeros(1).set_requires_grad(true);
    var adamW = new AdamW(new TensorVector(weight), options);
    weight.mutable_grad().put(ones(1));
    adamW.step();
    double before = weight.item_double();
    weight.mutable_grad().zero_();
    adamW.step();
    return before - weight.item_double();
}
JAVA
"$java" --enable-native-access=ALL-UNNAMED -Dorg.bytedeco.javacpp.cachedir="$work/cache" -cp 'lib/*' Main.java >seen
diff - seen <<'EXPECTED' || { echo "no longer as described" >&2; exit 1; }
betas as they come: 0.999, 0.9
put(0, 0.9), put(1, 0.999): second step 0.7261
put(0, 0.999), put(1, 0.9): second step 0.6701
EXPECTED
cat seen
