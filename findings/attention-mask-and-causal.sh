#!/usr/bin/env bash
# scaled_dot_product_attention of LibTorch 2.10 (org.bytedeco:pytorch:2.10.0-1.5.13, CPU) takes a mask together with
# is_causal=true in one form of a call and refuses it in others that mean the same. On [B, H, T, D] without dropout it
# applies both, silently; the same call with dropout, or the same numbers as [H, T, D], is an error. So a decoder that
# passes a padding mask and is_causal works in evaluation and fails in its first training step, or once its batch of
# one is squeezed.
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
    var allowed = ones(4, 4);
    allowed.select(1, 0).fill_(new Scalar(0)); // key 0 is padding
    var mask = new TensorOptional(allowed.to(ScalarType.Bool));
    var q = zeros(1, 1, 4, 4);
    var v = eye(4).reshape(1, 1, 4, 4); // what comes out is the weights
    attend("[1, 1, 4, 4], no dropout ", q, v, mask, 0);
    attend("[1, 1, 4, 4], dropout 0.1", q, v, mask, 0.1);
    attend("[1, 4, 4], no dropout    ", q.squeeze(0), v.squeeze(0), mask, 0);
}

void attend(String call, Tensor q, Tensor v, TensorOptional mask, double dropout) {
    try {
        var row = scaled_dot_product_attention(q, q, v, mask, dropout, true, new DoubleOptional(), false)
                .select(-2, 2).flatten();
        var weights = new StringBuilder();
        for (long i = 0; i < 4; i++) {
            weights.append(" %.1f".formatted(row.select(0, i).item_double()));
        }
        System.out.println(call + ": query 2 has the weights" + weights);
    } catch (RuntimeException e) {
        System.out.println(call + ": " + e.getMessage().lines().findFirst().orElse(""));
    }
}
JAVA
"$java" --enable-native-access=ALL-UNNAMED -Dorg.bytedeco.javacpp.cachedir="$work/cache" -cp 'lib/*' Main.java >seen
diff - seen <<'EXPECTED' || { echo "no longer as described" >&2; exit 1; }
[1, 1, 4, 4], no dropout : query 2 has the weights 0.0 0.5 0.5 0.0
[1, 1, 4, 4], dropout 0.1: _scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True
[1, 4, 4], no dropout    : _scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True
EXPECTED
cat seen
