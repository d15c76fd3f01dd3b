/// From files to batches: records, readers, masks, batches in a reproducible order, and what a data set looks like.
///
/// ```java
/// try (Tokenizer tokenizer = CharTokenizer.of("ab? ")) {
///     var tokenisation = new Tokenisation(tokenizer, Optional.empty(), 64, Truncation.DROP);
///     TokenizedPair pair = tokenisation.pair(Preference.of("a? ", "b", "a")).orElseThrow();
///     System.out.println(pair.promptLength()); // 4
///     System.out.println(pair.chosen().targets()); // 2
/// }
/// ```
package dev.kedge.data;
