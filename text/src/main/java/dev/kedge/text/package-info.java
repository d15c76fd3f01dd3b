/// Text to token ids and back, and conversations to text.
///
/// ```java
/// try (Tokenizer tokenizer = CharTokenizer.of("abc ")) { // of a model: Tokenizer.load(folder)
///     int[] ids = tokenizer.encode("a cab");
///     System.out.println(Arrays.toString(ids)); // [1, 3, 6, 5, 3, 4]
///     System.out.println(tokenizer.decode(ids)); // a cab
/// }
/// ```
package dev.kedge.text;
