package dev.kedge.reproduction.spine;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.data.task.ChainOfThought;
import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.policy.PolicyMethod;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.recipe.policy.SpineMethod;
import dev.kedge.recipe.policy.SpineMethod.Selection;
import dev.kedge.recipe.policy.TtrlMethod;
import dev.kedge.reproduction.trial.RlvrTrial;
import dev.kedge.run.TrainingConfig;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The claims of SPINE (arXiv:2511.17938): sums worked in steps, learnt from votes and judged by the true answers.
public final class SpineClaims {
    private static final String TTRL = "TTRL";
    private static final String SPINE = "SPINE";
    private static final String NO_BAND = "SPINE without band";
    private static final double BAND = 0.05;
    private static final double ANCHOR = 0.1;

    /// Of 3e-5, 1e-4, 3e-4 and 1e-3 the one after which each arm is right most often.
    private static final double RATE = 1e-4;

    private SpineClaims() {}

    /// How large the experiments are.
    ///
    /// @param pretraining steps that the start is made in
    /// @param steps       of adaptation
    /// @param heldOut     questions to judge by, beside those that are voted on
    public record Scale(int pretraining, int steps, int heldOut) {
        static final Scale PUBLISHED = new Scale(300, 40, 16);
    }

    public static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    public static List<Claim> claims(Scale scale) {
        var experiment = new Experiment("worked-sums", description(scale), 6, seed -> trial(scale, seed));
        var accuracy = measure(
                experiment, "right answers to the questions voted on, last tenth of the steps", "%", "accuracy");
        return List.of(
                accuracy.claim("accuracy").says("Accuracy is above TTRL's.").more(SPINE, TTRL),
                measure(experiment, "right answers to held-out questions", "%", "held-out accuracy")
                        .claim("accuracy-held-out")
                        .says("Accuracy on other questions is above TTRL's.")
                        .more(SPINE, TTRL),
                measure(experiment, "entropy of a token over the last tenth of the steps", "nats", "entropy")
                        .claim("entropy")
                        .says("Entropy falls less than TTRL's.")
                        .more(SPINE, TTRL),
                measure(experiment, "length over the last tenth of the steps", "tokens", "length")
                        .claim("length")
                        .says("Answers shorten less than TTRL's.")
                        .more(SPINE, TTRL),
                accuracy.claim("band")
                        .says("The band adds to what the choice of tokens brings.")
                        .more(SPINE, NO_BAND));
    }

    private static String description(Scale scale) {
        return "Sums of two to four digits worked in steps, answers of up to 27 tokens: a decoder of width "
                + "64 with two layers, made in " + scale.pretraining + " steps of 64 demonstrations of which "
                + "80 % are right. Then " + scale.steps + " steps of 16 of 64 unlabelled questions with 8 "
                + "answers each, learnt from the vote; the true sums only judge. SPINE: a fifth of the tokens, "
                + "band between their 10 % and 50 % quantiles, strengths " + BAND + ", KL to the start "
                + ANCHOR + ". Learning rate " + RATE + ", of 3e-5, 1e-4, 3e-4 and 1e-3 the one after which "
                + "TTRL and SPINE were right most often on the questions voted on, on seed 101; there the "
                + "strengths were chosen, too, from a start made with twice the demonstrations. "
                + scale.heldOut + " held-out questions, 8 answers each.";
    }

    private static Outcome trial(Scale scale, long seed) {
        Selection fifth = new Selection.TopShare(0.2, 0.1, 0.5);
        List<String> arms = List.of(TTRL, SPINE, NO_BAND);
        List<String> phases = List.of("ttrl", "spine", "spine-without-band");
        List<PolicyMethod> methods = List.of(
                new TtrlMethod(0.2),
                new SpineMethod(fifth, 0.2, BAND, BAND, 0, ANCHOR),
                new SpineMethod(fifth, 0.2, 0, 0, 0, ANCHOR));
        RlvrTrial trial = RlvrTrial.run(config(scale, methods, seed));
        Outcome outcome = Outcome.NOTHING
                .with("accuracy, start", trial.training("ttrl", "reward")[0])
                .with("entropy, start", trial.training("ttrl", "entropy")[0])
                .with("length, start", trial.training("ttrl", "length")[0]);
        for (int i = 0; i < arms.size(); i++) {
            String phase = phases.get(i);
            double[] entropy = trial.training(phase, "entropy");
            outcome = outcome.with("accuracy, " + arms.get(i), RlvrTrial.late(trial.training(phase, "reward")))
                    .with("held-out accuracy, " + arms.get(i), trial.last(phase, "reward"))
                    .with("held-out solved, " + arms.get(i), trial.last(phase, "solved"))
                    .with(
                            "entropy half-way, " + arms.get(i),
                            RlvrTrial.late(Arrays.copyOf(entropy, (entropy.length + 1) / 2)))
                    .with("entropy, " + arms.get(i), RlvrTrial.late(entropy))
                    .with("length, " + arms.get(i), RlvrTrial.late(trial.training(phase, "length")));
        }
        return outcome;
    }

    private static RlvrRecipe.Config config(Scale scale, List<PolicyMethod> methods, long seed) {
        TrainingConfig pretraining = RlvrTrial.pretraining(scale.pretraining, 64);
        TrainingConfig rl = RlvrTrial.learning(scale.steps, 16, RATE);
        return RlvrTrial.config(
                new Environment.Generated(
                        new ChainOfThought(4, 9),
                        0.8,
                        64,
                        2,
                        4,
                        40_000,
                        pretraining,
                        64,
                        scale.heldOut,
                        Optional.empty()),
                methods,
                8,
                rl,
                new RlvrTrial.Sampling(1, 1, scale.steps, 8),
                seed);
    }
}
