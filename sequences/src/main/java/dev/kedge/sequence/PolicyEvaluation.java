package dev.kedge.sequence;

import dev.kedge.data.LabelledSequence;
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
import dev.kedge.statistics.SignTest;
import dev.kedge.tensor.Streams;
import dev.kedge.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;

/// Judges a policy by what was held out, and says how far it has moved from its reference and what it writes.
public record PolicyEvaluation(Config config, long seed) {
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

    /// By preferences.
    ///
    /// @param margins of the held-out pairs: implicit reward of the chosen reply less that of the rejected one
    public Summary ofPairs(Summary base, Policy policy, List<TokenizedPair> heldOut, double[] margins) {
        double[][] likelihood = SequenceScores.ofPairs(
                policy.reference(), heldOut, policy.model().padId());
        SignTest test = SignTest.of(margins);
        Estimate accuracy = test.share();
        String verdict = String.format(
                Locale.ROOT,
                "Held-out preference accuracy is %.1f %% [%.1f, %.1f] on %d pairs; against chance (50 %%), p = %.2g: %s.",
                100 * accuracy.value(),
                100 * accuracy.low(),
                100 * accuracy.high(),
                margins.length,
                test.p(),
                against(test, margins.length));
        Summary summary = base.verdict(verdict)
                .fact(
                        "held_out_preference_accuracy",
                        "held-out preference accuracy",
                        accuracy,
                        "%",
                        "implicit reward prefers the chosen reply, ties half; 95 % Clopper-Pearson interval; chance is"
                                + " 50 %")
                .fact(
                        "p_value",
                        "p-value against 50 %",
                        Estimate.of(test.p()),
                        "",
                        "two-sided exact binomial test, without ties")
                .fact(
                        "reference_likelihood_accuracy",
                        "accuracy of the reference's likelihood",
                        SignTest.of(differences(likelihood[0], likelihood[1])).share(),
                        "%",
                        "log-prob of the reference alone prefers the chosen reply")
                .fact(
                        "reward_margin",
                        "reward margin",
                        bootstrap().bca(margins),
                        "",
                        "implicit reward, chosen less rejected, held out");
        return moved(summary, policy, sequences(heldOut));
    }

    private static String against(SignTest test, int pairs) {
        if (test.ties() == pairs) {
            return "not told apart from chance, as no margin differs from 0: the policy has not moved";
        }
        return switch (test.verdict()) {
            case MORE_OFTEN -> "better than chance";
            case LESS_OFTEN -> "worse than chance";
            case NOT_TOLD_APART -> "not told apart from chance";
        };
    }

    /// By labels.
    ///
    /// @param rewards implicit rewards of the held-out completions, of which some are desirable and others not
    /// @throws RunFailedException if all have the same label
    public Summary ofLabelled(Summary base, Policy policy, List<LabelledSequence> heldOut, double[] rewards) {
        double[] desirable = rewards(heldOut, rewards, true);
        double[] undesirable = rewards(heldOut, rewards, false);
        if (desirable.length == 0 || undesirable.length == 0) {
            throw new RunFailedException("of " + heldOut.size() + " held-out completions " + desirable.length
                    + " are desirable: both labels are needed to judge by, raise held_out");
        }
        double[] above = Arrays.stream(desirable)
                .map(d -> Arrays.stream(undesirable)
                        .map(u -> d > u ? 1 : d == u ? 0.5 : 0)
                        .average()
                        .orElseThrow())
                .toArray();
        Estimate accuracy = bootstrap().bca(above);
        Summary summary = base.verdict(String.format(
                        Locale.ROOT,
                        "Held out, the reward of a desirable completion is above that of an undesirable one in %.1f %%"
                                + " [%.1f, %.1f] of all cases; chance is 50 %%.",
                        100 * accuracy.value(),
                        100 * accuracy.low(),
                        100 * accuracy.high()))
                .fact(
                        "desirable_above_undesirable",
                        "desirable above undesirable",
                        accuracy,
                        "%",
                        "of all held-out cases of one of each; interval over the desirable ones; chance is 50 %")
                .fact(
                        "reward_desirable",
                        "reward, desirable",
                        bootstrap().bca(desirable),
                        "",
                        "implicit reward, held out")
                .fact(
                        "reward_undesirable",
                        "reward, undesirable",
                        bootstrap().bca(undesirable),
                        "",
                        "implicit reward, held out");
        return moved(
                summary,
                policy,
                heldOut.stream().map(LabelledSequence::sequence).toList());
    }

    /// How far the policy is from its reference on replies of its own, and replies of both.
    ///
    /// @param heldOut sequences whose prompts are answered
    public Summary moved(Summary base, Policy policy, List<Tokenized> heldOut) {
        List<int[]> prompts = prompts(policy.decoder(), heldOut);
        Tokenizer tokenizer = policy.model().tokenizer();
        Divergence divergence = divergence(policy, prompts);
        Summary summary = base.fact(
                        "kl_from_the_reference",
                        "KL from the reference",
                        bootstrap().bca(divergence.logRatios),
                        "nats a reply",
                        "k1 over replies drawn from the policy, at most " + config.replyTokens + " tokens")
                .fact(
                        "kl_from_the_reference_k3",
                        "KL from the reference, k3",
                        bootstrap().bca(divergence.k3),
                        "nats a reply",
                        "the same replies; positive whatever is drawn, the same mean")
                .fact(
                        "sampler_against_trainer",
                        "sampler against trainer",
                        Estimate.of(divergence.agreement.difference()),
                        "nats",
                        "largest difference of a token's log-prob");
        divergence.agreement.require();
        Samples samples = new Samples(
                tokenizer, prompts.subList(0, Math.min(config.samples(), prompts.size())), config.replyTokens());
        return samples.shown(
                summary, samples.continuations(policy.reference()), samples.continuations(policy.decoder()));
    }

    /// Fails at once where what is held out could not be judged in the end.
    ///
    /// @throws RunFailedException if there are not two prompts that leave room for replies
    public void requirePrompts(Policy policy, List<Tokenized> heldOut) {
        prompts(policy.decoder(), heldOut);
    }

    /// The chosen replies, which have the prompts of pairs.
    public static List<Tokenized> sequences(List<TokenizedPair> pairs) {
        return pairs.stream().map(TokenizedPair::chosen).toList();
    }

    /// The held-out prompts that replies are drawn for.
    private List<int[]> prompts(Decoder policy, List<Tokenized> heldOut) {
        int room = policy.config().maxPositions() - config.replyTokens();
        List<int[]> prompts = heldOut.stream()
                .filter(s -> s.promptLength() > 0 && s.promptLength() <= Math.max(1, room))
                .limit(config.klPrompts())
                .map(Tokenized::prompt)
                .toList();
        if (prompts.size() < 2) {
            throw new RunFailedException("no two held-out prompts leave room for replies of " + config.replyTokens()
                    + " tokens: lower evaluation.reply_tokens or max_length");
        }
        return prompts;
    }

    /// @param logRatios of each reply, k1
    /// @param k3        of each reply
    /// @param agreement of sampler and trainer
    private record Divergence(double[] logRatios, double[] k3, SamplerAgreement agreement) {}

    /// Draws a reply of the policy to each prompt and asks both models how likely it is.
    private Divergence divergence(Policy policy, List<int[]> prompts) {
        Sampling sampling = Sampling.at(config.temperature());
        Set<Integer> stopIds = policy.model().tokenizer().stopIds();
        List<Completion> replies = Generator.generate(
                policy.decoder(),
                prompts,
                new Generator.Options(
                        sampling, config.replyTokens(), 1, stopIds, null, Streams.of(seed, "replies"), true),
                null);
        List<Tokenized> sequences = replies.stream()
                .map(r -> Tokenized.ofReply(prompts.get(r.prompt()), r.tokens()))
                .toList();
        int padId = policy.model().padId();
        var now = SequenceScores.ofTokens(policy.decoder(), sequences, padId, config.temperature());
        double[] ratios =
                differences(now.sums(), SequenceScores.of(policy.reference(), sequences, padId, config.temperature()));
        double[] k3 =
                Arrays.stream(ratios).map(ratio -> Math.expm1(-ratio) + ratio).toArray();
        return new Divergence(ratios, k3, now.agreement(replies));
    }

    private Bootstrap bootstrap() {
        return new Bootstrap(2000, 0.95, Streams.of(seed, "bootstrap"));
    }

    private static double[] rewards(List<LabelledSequence> sequences, double[] rewards, boolean desirable) {
        return IntStream.range(0, rewards.length)
                .filter(i -> sequences.get(i).desirable() == desirable)
                .mapToDouble(i -> rewards[i])
                .toArray();
    }

    private static double[] differences(double[] of, double[] less) {
        return IntStream.range(0, of.length).mapToDouble(i -> of[i] - less[i]).toArray();
    }
}
