package dev.kedge.sequence;

import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.lm.Sampling;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.SamplerAgreement;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import dev.kedge.statistics.Proportions;
import dev.kedge.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Judges a policy by held-out preferences, and says how far it has moved from its reference.
public final class PreferenceEvaluation {
    /// @param klPrompts   held-out prompts that replies are drawn for, to estimate the divergence, >= 2
    /// @param replyTokens the longest reply drawn
    /// @param temperature at which they are drawn; the divergence is that of the distributions at this temperature
    /// @param samples     greedy replies shown
    public record Config(int klPrompts, int replyTokens, double temperature, int samples) {
        public Config {
            if (klPrompts < 2 || replyTokens < 1 || !(temperature > 0) || samples < 0) {
                throw new IllegalArgumentException(
                        "kl_prompts >= 2, reply_tokens >= 1, temperature > 0, samples >= 0 expected, were " + klPrompts
                                + ", " + replyTokens + ", " + temperature + ", " + samples);
            }
        }
    }

    private final Config config;
    private final Tokenizer tokenizer;
    private final long seed;

    public PreferenceEvaluation(Config config, Tokenizer tokenizer, long seed) {
        this.config = config;
        this.tokenizer = tokenizer;
        this.seed = seed;
    }

    /// @param margins of the held-out pairs: implicit reward of the chosen reply less that of the rejected one
    public Summary summary(
            Summary base, Decoder reference, Decoder policy, List<TokenizedPair> heldOut, double[] margins) {
        Bootstrap bootstrap = new Bootstrap(2000, 0.95, seed);
        int right = (int) Arrays.stream(margins).filter(m -> m > 0).count();
        var accuracy = Proportions.wilson(right, margins.length, 0.95);
        double p = Proportions.binomialTest(right, margins.length, 0.5);
        double[] lengths = likelihoodMargins(reference, heldOut);
        int rightBefore = (int) Arrays.stream(lengths).filter(m -> m > 0).count();

        List<int[]> prompts = prompts(policy, heldOut);
        Moved moved = moved(reference, policy, prompts);
        String verdict = String.format(
                "Held-out preference accuracy is %.1f %% [%.1f, %.1f] on %d pairs; against chance (50 %%), p = %.2g: %s.",
                100 * accuracy.value(),
                100 * accuracy.low(),
                100 * accuracy.high(),
                margins.length,
                p,
                accuracy.low() > 0.5
                        ? "better than chance"
                        : accuracy.high() < 0.5 ? "worse than chance" : "not told apart from chance");
        Summary summary = base.verdict(verdict)
                .fact(
                        "held-out preference accuracy",
                        accuracy,
                        "%",
                        "implicit reward prefers the chosen reply; 95 % Wilson interval; chance is 50 %")
                .fact("p-value against 50 %", Estimate.of(p), "", "two-sided exact binomial test")
                .fact(
                        "accuracy of the reference's likelihood",
                        Proportions.wilson(rightBefore, lengths.length, 0.95),
                        "%",
                        "log-prob of the reference alone prefers the chosen reply")
                .fact("reward margin", bootstrap.bca(margins), "", "implicit reward, chosen less rejected, held out")
                .fact(
                        "KL from the reference",
                        bootstrap.bca(moved.logRatios),
                        "nats a reply",
                        "k1 over replies drawn from the policy, at most " + config.replyTokens + " tokens")
                .fact(
                        "KL from the reference, k3",
                        bootstrap.bca(moved.k3),
                        "nats a reply",
                        "the same replies; positive whatever is drawn, the same mean")
                .fact(
                        "sampler against trainer",
                        Estimate.of(moved.difference),
                        "nats",
                        "largest difference of a token's log-prob");
        SamplerAgreement.require(moved.difference);
        return withSamples(summary, reference, policy, prompts);
    }

    private double[] likelihoodMargins(Decoder model, List<TokenizedPair> pairs) {
        double[][] scores = SequenceScores.ofPairs(model, pairs, Models.padId(tokenizer));
        double[] margins = new double[pairs.size()];
        Arrays.setAll(margins, i -> scores[0][i] - scores[1][i]);
        return margins;
    }

    /// The held-out prompts that replies are drawn for.
    ///
    /// @throws RunFailedException if there are not two
    public List<int[]> prompts(Decoder policy, List<TokenizedPair> pairs) {
        int room = policy.config().maxPositions() - config.replyTokens();
        List<int[]> prompts = new ArrayList<>();
        for (TokenizedPair pair : pairs) {
            if (prompts.size() < config.klPrompts()
                    && pair.promptLength() > 0
                    && pair.promptLength() <= Math.max(1, room)) {
                prompts.add(Arrays.copyOf(pair.chosen().tokens(), pair.promptLength()));
            }
        }
        if (prompts.size() < 2) {
            throw new RunFailedException("no two held-out prompts leave room for replies of " + config.replyTokens()
                    + " tokens: lower evaluation.reply_tokens or max_length");
        }
        return prompts;
    }

    private record Moved(double[] logRatios, double[] k3, double difference) {}

    /// Draws a reply of the policy to each prompt and asks both models how likely it is.
    private Moved moved(Decoder reference, Decoder policy, List<int[]> prompts) {
        Sampling sampling = Sampling.at(config.temperature());
        List<Completion> replies = Generator.generate(
                policy,
                prompts,
                new Generator.Options(sampling, config.replyTokens(), 1, tokenizer.stopIds(), null, seed, true),
                null);
        List<Tokenized> sequences = replies.stream()
                .map(r -> Tokenized.ofReply(prompts.get(r.prompt()), r.tokens()))
                .toList();
        int padId = Models.padId(tokenizer);
        double[] now = SequenceScores.of(policy, sequences, padId, config.temperature());
        double[] ref = SequenceScores.of(reference, sequences, padId, config.temperature());
        double[] ratios = new double[now.length];
        double[] k3 = new double[now.length];
        for (int i = 0; i < now.length; i++) {
            ratios[i] = now[i] - ref[i];
            k3[i] = Math.expm1(-ratios[i]) + ratios[i];
        }
        return new Moved(ratios, k3, SamplerAgreement.difference(replies, now));
    }

    private Summary withSamples(Summary summary, Decoder reference, Decoder policy, List<int[]> prompts) {
        List<int[]> shown = prompts.subList(0, Math.min(config.samples(), prompts.size()));
        Generator.Options greedy =
                new Generator.Options(Sampling.GREEDY, config.replyTokens(), 1, tokenizer.stopIds(), null, seed, false);
        List<Completion> before = Generator.generate(reference, shown, greedy, null);
        List<Completion> after = Generator.generate(policy, shown, greedy, null);
        Summary all = summary;
        for (int i = 0; i < shown.size(); i++) {
            all = all.sample(new Summary.Sample(
                    tokenizer.decode(shown.get(i)),
                    tokenizer.decode(before.get(i).tokens()),
                    tokenizer.decode(after.get(i).tokens()),
                    Optional.empty(),
                    Optional.empty(),
                    ""));
        }
        return all;
    }
}
