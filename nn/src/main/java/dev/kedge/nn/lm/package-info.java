/// Language models: one [Decoder] for the families that it reads, low-rank adapters, and generation with the sampler
/// that training takes its log-probabilities from.
///
/// ```java
/// DecoderConfig shape = DecoderConfig.small(5, 16, 1, 2, 8); // 5 tokens, width 16, 1 layer, 2 heads, 8 positions
/// Decoder model = Decoder.random(shape, Rng.seeded(1), Device.CPU); // from disk: Models.load(folder, device)
/// try (var _ = model.parameters()) {
///     var drawn = Generator.generate(model, List.of(new int[] {1}), Generator.Options.greedy(4, Set.of()), null);
///     System.out.println(drawn.getFirst().tokens().length); // 4
/// }
/// ```
package dev.kedge.nn.lm;
