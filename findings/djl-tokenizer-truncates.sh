#!/usr/bin/env bash
# ai.djl.huggingface:tokenizers:0.38.0 cuts every text off at 512 tokens, whether tokenizer.json says "truncation":
# null, as those of most language models do, or asks for 1000, and pads batches where it says "padding": null. The
# library underneath does neither, as truncation=false shows. The rest of the text is gone: getOverflowing() is empty,
# and only exceedMaxLength() tells. A warning goes to SLF4J, so without a provider nothing is said. The padding is id
# 0, here the id of a word.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
for java in "${JAVA_HOME:-/none}/bin/java" "$(command -v java || true)" ""; do
    [ "$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')" -ge 25 ] 2>/dev/null && break
done
[ -n "$java" ] || { echo "needs a JDK 25 or newer, in JAVA_HOME or on the PATH" >&2; exit 2; }

{
    echo "<project><modelVersion>4.0.0</modelVersion><groupId>f</groupId><artifactId>f</artifactId><version>1</version>"
    echo "<dependencies>"
    echo "<dependency><groupId>ai.djl.huggingface</groupId><artifactId>tokenizers</artifactId>"
    echo "<version>0.38.0</version></dependency>"
    echo "</dependencies></project>"
} >pom.xml
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy-dependencies -DoutputDirectory=lib \
    >mvn.log 2>&1 || { cat mvn.log >&2; exit 2; }

cat >Main.java <<'JAVA'
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;

void main() throws Exception {
    var none = file("none.json", "null");
    var thousand = file("thousand.json", """
            {"direction": "Right", "strategy": "LongestFirst", "stride": 0, "max_length": 1000}""");
    show("truncation null", none, Map.of());
    show("truncation at 1000", thousand, Map.of());
    show("truncation null, option truncation=false", none, Map.of("truncation", "false"));
    try (var tokenizer = HuggingFaceTokenizer.newInstance(none)) {
        var batch = tokenizer.batchEncode(new String[] {"ship", "ship ship"});
        System.out.println("padding null: " + Arrays.toString(batch[0].getIds()) + Arrays.toString(batch[1].getIds()));
    }
}

void show(String what, Path file, Map<String, String> options) throws IOException {
    try (var tokenizer = HuggingFaceTokenizer.newInstance(file, options)) {
        var e = tokenizer.encode("ship ".repeat(5000));
        System.out.printf("%s: %d of 5000 words, %d overflowing, exceeded %s%n",
                what, e.getIds().length, e.getOverflowing().length, e.exceedMaxLength());
    }
}

Path file(String name, String truncation) throws IOException {
    return Files.writeString(Path.of(name), """
            {"version": "1.0", "truncation": %s, "padding": null, "added_tokens": [], "normalizer": null,
             "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
             "model": {"type": "WordLevel", "vocab": {"anchor": 0, "ship": 1, "?": 2}, "unk_token": "?"}}"""
            .formatted(truncation));
}
JAVA
ENGINE_CACHE_DIR=$work/cache "$java" --enable-native-access=ALL-UNNAMED -cp 'lib/*' Main.java >seen 2>log ||
    { cat log >&2; exit 2; }
diff - seen <<'EXPECTED' || { echo "no longer as described" >&2; exit 1; }
truncation null: 512 of 5000 words, 0 overflowing, exceeded true
truncation at 1000: 512 of 5000 words, 0 overflowing, exceeded true
truncation null, option truncation=false: 5000 of 5000 words, 0 overflowing, exceeded false
padding null: [1, 0][1, 1]
EXPECTED
cat seen
