package dev.kedge.recipe.variational;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.recipe.variational.DpgConfig.Method;
import dev.kedge.recipe.variational.DpgInference.Baseline;
import dev.kedge.recipe.variational.DpgInference.Criterion;
import dev.kedge.recipe.variational.DpgInference.PolicyGradient;
import dev.kedge.recipe.variational.DpgInference.Proposal;
import dev.kedge.recipe.variational.DpgTarget.Best;
import dev.kedge.recipe.variational.DpgTarget.Constraint;
import dev.kedge.recipe.variational.DpgTarget.Moment;
import dev.kedge.recipe.variational.DpgTarget.Posterior;
import dev.kedge.recipe.variational.DpgTarget.Score;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.Terminal;
import dev.kedge.run.TrainingConfig;
import dev.kedge.task.EnumerableLanguage;
import dev.kedge.task.EnumerableLanguage.Reads;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.hipparchus.stat.correlation.PearsonsCorrelation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

public class DpgRecipeTest {
    private static final Score AB = new Score("ab", false);
    private static final Score A = new Score("a", true);
    private static final PolicyGradient POLICY_GRADIENT = new PolicyGradient(Baseline.LEAVE_ONE_OUT);

    @TempDir
    Path folder;

    public static DpgInference.Dpg dpg(boolean baseline, Criterion criterion) {
        return new DpgInference.Dpg(baseline, true, new Proposal(criterion, 5, 64, false));
    }

    public static Method method(String name, DpgTarget target, DpgInference inference, Reads reads) {
        return new Method(name, target, inference, reads, Optional.empty());
    }

    public static DpgConfig config(List<Method> methods, int steps, int every) {
        return new DpgConfig(
                new EnumerableLanguage.Config(3, 4, 16, 1, 2, optimisation(40, Math.min(every, 40))),
                AB,
                methods,
                optimisation(steps, every),
                every,
                200,
                "cpu",
                1,
                3);
    }

    private static TrainingConfig optimisation(int steps, int every) {
        return new TrainingConfig(
                steps,
                64,
                48,
                EpochBatches.Order.SHUFFLED,
                1e-2,
                Schedule.Shape.LINEAR,
                2,
                0.1,
                0.9,
                0.99,
                0,
                10,
                every,
                Optional.empty());
    }

    private static final List<Method> METHODS = List.of(
            method("KL-RL", new Posterior(AB, 0.5), POLICY_GRADIENT, Reads.TEXT),
            method("reward", new Best(AB), new PolicyGradient(Baseline.BATCH_MEAN), Reads.TEXT),
            method("DPG", new Posterior(AB, 0.5), dpg(false, Criterion.INTERVAL), Reads.TEXT),
            method("DPG, baseline", new Posterior(AB, 0.5), dpg(true, Criterion.KLD), Reads.TEXT),
            method("given", new Constraint(AB, 1), dpg(true, Criterion.TVD), Reads.TEXT),
            method("moment", new Moment(A, 0.5, 2000), dpg(true, Criterion.KLD), Reads.TEXT),
            method("place", new Posterior(AB, 0.5), dpg(true, Criterion.KLD), Reads.PLACE));

    /// The posterior is reached from both sides, by samples alone; the reward alone collapses; the moment is met; what
    /// cannot read does not get there.
    @Test
    void policiesBecomeTheirTargets() throws Exception {
        RecordedRun run = new RecordedRun(TinyTask.run("dpg", config(METHODS, 120, 60), folder.resolve("run")));
        run.assertComplete("dpg");
        double posterior = run.fact("entropy_posterior").get("value").asDouble();
        for (String phase : List.of("kl-rl", "dpg", "dpg-baseline")) {
            JsonNode last = run.metrics(phase).getLast();
            assertTrue(last.get("kl/to_target").asDouble() < 0.02, last.toString());
            assertTrue(last.get("kl/from_target").asDouble() < 0.02, last.toString());
            assertEquals(posterior, last.get("entropy").asDouble(), 0.15);
        }
        JsonNode reward = run.metrics("reward").getLast();
        assertTrue(
                reward.get("reward").asDouble() > 1.95 && reward.get("entropy").asDouble() < 0.2, "" + reward);
        assertTrue(reward.get("kl/from_target").asDouble() > 2, "what has collapsed covers nothing: " + reward);
        JsonNode given = run.metrics("given").getLast();
        assertTrue(given.get("kl/from_target").asDouble() < 0.1, given.toString());
        assertTrue(given.path("kl/to_target").isMissingNode(), "infinite: the policy has mass where there is none");
        assertEquals(0.5, run.metrics("moment").getLast().get("score").asDouble(), 0.05);
        JsonNode place = run.metrics("place").getLast();
        assertTrue(place.get("kl/from_target").asDouble() > 0.1, place.toString());
        assertEquals(
                "Where the mass lies",
                run.summary().get("frontier").get("title").asText());
    }

    /// Policies that hardly move draw from nearly the same distribution, so that draws in common show: those of a seed
    /// were those of the next one, 31 steps later.
    @Test
    void runsOverConsecutiveSeedsShareNoDraws() throws Exception {
        int steps = 120;
        double[][] rewards = new double[3][];
        for (int seed = 0; seed < 3; seed++) {
            DpgConfig still = new DpgConfig(
                    new EnumerableLanguage.Config(
                            3, 4, 16, 1, 2, optimisation(1, 1).at(1e-12)),
                    A,
                    List.of(method("still", new Best(A), POLICY_GRADIENT, Reads.TEXT)),
                    optimisation(steps, steps).at(1e-12),
                    steps,
                    2,
                    "cpu",
                    1,
                    seed);
            RecordedRun run = new RecordedRun(TinyTask.run("dpg", still, folder.resolve("run-" + seed)));
            rewards[seed] = run.metrics("still").stream()
                    .mapToDouble(step -> step.get("sampled/reward").asDouble())
                    .toArray();
            assertEquals(steps, rewards[seed].length);
        }
        for (int a = 0; a < 3; a++) {
            for (int b = 0; b < 3; b++) {
                for (int later = a == b ? 1 : 0; later <= 70; later++) {
                    double correlation = new PearsonsCorrelation()
                            .correlation(
                                    Arrays.copyOfRange(rewards[a], later, steps),
                                    Arrays.copyOf(rewards[b], steps - later));
                    String where = "seed " + a + ", " + later + " steps later than seed " + b;
                    assertEquals(0, correlation, 5 / Math.sqrt(steps - later), where); // standard error 1/√n
                }
            }
        }
    }

    /// What a decoder says of all texts is what it says of each, sums to one, and is what it draws.
    @Test
    void textsAreEnumerated() {
        var config = config(METHODS.subList(0, 1), 1, 1);
        try (Run run = Run.start(folder.resolve("run"), "dpg", config, Terminal.quiet());
                var language = new EnumerableLanguage(config.language(), run, Device.CPU, 5);
                Rng rng = Rng.seeded(2);
                Scope _ = new Scope();
                var _ = Gradients.off()) {
            double[] all = language.logPrior();
            assertEquals(81, all.length);
            // Four letters of float32 logits: what follows a beginning is asked anew in every row that begins so.
            assertEquals(1, Arrays.stream(all).map(Math::exp).sum(), 4 * 0x1p-23);
            var draws = language.sample(language.prior(), Reads.TEXT, 4000, rng);
            Tensor again = language.logProbs(language.prior(), Reads.TEXT, draws.tokens());
            double[] drawn = draws.logProbs().toDoubles();
            for (int i = 0; i < drawn.length; i++) {
                assertEquals(all[draws.numbers()[i]], drawn[i], 1e-5);
                assertEquals(again.toDoubles()[0], drawn[0], 1e-5);
            }
            assertEquals("abca", config.language().text(15));
            double share = Arrays.stream(draws.numbers()).filter(i -> i == 15).count() / 4000.0;
            double p = Math.exp(all[15]);
            assertEquals(p, share, 5 * Math.sqrt(p * (1 - p) / 4000), "five standard errors");
            double[] places = language.logProbs(language.prior(), Reads.PLACE);
            // Independent letters: p(..x)·p(..y) does not change when the ends are exchanged.
            Tensor t = Tensor.of(new int[] {0, 1, 2, 0, 1, 2, 0, 1, 0, 1, 0, 1, 1, 2, 2, 0}, 4, 4)
                    .to(DType.INT64);
            double[] four = language.logProbs(language.prior(), Reads.PLACE, t).toDoubles();
            assertEquals(four[0] + four[1], four[2] + four[3], 1e-5);
            assertEquals(places[15], four[0], 1e-5);
        }
    }

    /// Targets by hand, in plain numbers.
    @Test
    void targetsAreWhatTheySay() {
        var config = config(METHODS.subList(0, 1), 1, 1);
        assertEquals(2, new Score("aa", false).of("aaab"));
        assertEquals(1, new Score("aa", true).of("aaab"));
        try (Run run = Run.start(folder.resolve("run"), "dpg", config, Terminal.quiet());
                var language = new EnumerableLanguage(config.language(), run, Device.CPU, 5)) {
            double[] prior = Arrays.stream(language.logPrior()).map(Math::exp).toArray();
            double[] score = IntStream.range(0, 81)
                    .mapToDouble(i -> AB.of(config.language().text(i)))
                    .toArray();
            double z = IntStream.range(0, 81)
                    .mapToDouble(i -> prior[i] * Math.exp(score[i] / 0.5))
                    .sum();
            double[] posterior = new Posterior(AB, 0.5).aim(language, 1).logTarget();
            double given = IntStream.range(0, 81)
                    .filter(i -> score[i] >= 1)
                    .mapToDouble(i -> prior[i])
                    .sum();
            double[] constrained = new Constraint(AB, 1).aim(language, 1).logTarget();
            for (int i = 0; i < 81; i++) {
                assertEquals(prior[i] * Math.exp(score[i] / 0.5) / z, Math.exp(posterior[i]), 1e-12);
                assertEquals(score[i] >= 1 ? prior[i] / given : 0, Math.exp(constrained[i]), 1e-12);
            }
            double[] half = new Moment(A, 0.5, 20_000).aim(language, 1).logTarget();
            double share = IntStream.range(0, 81)
                    .filter(i -> config.language().text(i).contains("a"))
                    .mapToDouble(i -> Math.exp(half[i]))
                    .sum();
            assertEquals(0.5, share, 0.03);
        }
    }

    @Test
    void aTargetThatSamplesNeverMeetIsToldApart() {
        var rare = new DpgInference.Dpg(true, true, new Proposal(Criterion.KLD, 5, 2, false));
        var config = config(List.of(method("rare", new Constraint(AB, 2), rare, Reads.TEXT)), 5, 5);
        var e = assertThrows(RunFailedException.class, () -> TinyTask.run("dpg", config, folder.resolve("run")));
        assertEquals(
                "none of 2 samples has any mass under the target of `rare`: its Z cannot be estimated; take more samples"
                        + " or an easier target",
                e.getMessage());
    }

    @Test
    void whatCannotBeIsRefused() {
        refused(
                "name must hold a letter or digit and not begin with pretraining, was \"?\"",
                () -> method("?", new Best(AB), POLICY_GRADIENT, Reads.TEXT));
        refused("beta must be finite and > 0, was 0.0", () -> new Posterior(AB, 0));
        refused("text must be small letters, such as ab, was \"A\"", () -> new Score("A", false));
        refused(
                "6 letters make 1.01e+07 texts of length 9, too many to enumerate: at most 262144, so length <= 6",
                () -> new EnumerableLanguage.Config(6, 9, 16, 1, 2, optimisation(1, 1)));
        refused(
                "inference of kind policy_gradient needs a target with mass everywhere, as its reward is the log of it; a"
                        + " constraint has zeros: take kind dpg",
                () -> method("x", new Constraint(AB, 1), POLICY_GRADIENT, Reads.TEXT));
        refused(
                "inference of kind dpg needs a target that is a distribution, and the best text alone is none: take"
                        + " posterior, constraint or moment",
                () -> method("x", new Best(AB), dpg(true, Criterion.KLD), Reads.TEXT));
        refused(
                "at_least must be at most 2.0, the highest score of a text, was 3.0",
                () -> config(List.of(method("x", new Constraint(AB, 3), dpg(true, Criterion.KLD), Reads.TEXT)), 1, 1));
        refused(
                "mean must lie between the scores of texts, 0 and 1.0, was 1.0",
                () -> config(List.of(method("x", new Moment(A, 1, 10), POLICY_GRADIENT, Reads.TEXT)), 1, 1));
        refused(
                "text \"ad\" never occurs: it must have at most 4 letters from a to c",
                () -> config(List.of(method("x", new Best(new Score("ad", true)), POLICY_GRADIENT, Reads.TEXT)), 1, 1));
        refused(
                "methods must have different names, at least one, were [x, X]",
                () -> config(
                        List.of(
                                method("x", new Best(AB), POLICY_GRADIENT, Reads.TEXT),
                                method("X", new Best(AB), POLICY_GRADIENT, Reads.TEXT)),
                        1,
                        1));
    }

    private static void refused(String message, Runnable what) {
        assertEquals(
                message, assertThrows(IllegalArgumentException.class, what::run).getMessage());
    }
}
