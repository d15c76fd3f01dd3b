package dev.kedge.recipe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.config.ConfigFile;
import dev.kedge.data.task.ScratchSum;
import dev.kedge.env.mdp.Penalty;
import dev.kedge.objective.preference.AnchorRule;
import dev.kedge.recipe.continual.RecapRecipe;
import dev.kedge.recipe.continual.RecapRecipeTest;
import dev.kedge.recipe.distillation.GkdRecipe;
import dev.kedge.recipe.distillation.GkdRecipeTest;
import dev.kedge.recipe.game.EgpoRecipe;
import dev.kedge.recipe.game.InpoRecipe;
import dev.kedge.recipe.guidance.GenarmRecipe;
import dev.kedge.recipe.guidance.GenarmRecipeTest;
import dev.kedge.recipe.occupancy.OccupancyConfig;
import dev.kedge.recipe.occupancy.OccupancyRecipe;
import dev.kedge.recipe.occupancy.OccupancyRecipeTest;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.policy.GtpoMethod;
import dev.kedge.recipe.policy.GtpoMethod.Conflicts;
import dev.kedge.recipe.policy.LearnedReward;
import dev.kedge.recipe.policy.LearnedRewardTest;
import dev.kedge.recipe.policy.LpRegMethod;
import dev.kedge.recipe.policy.OrealMethod;
import dev.kedge.recipe.policy.ReinforceMethod;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.recipe.policy.SpineMethod;
import dev.kedge.recipe.policy.ToprMethod;
import dev.kedge.recipe.policy.Truncated;
import dev.kedge.recipe.preference.AdaptiveTau;
import dev.kedge.recipe.preference.AdpoRecipe;
import dev.kedge.recipe.preference.AdpoRecipeTest;
import dev.kedge.recipe.preference.DpoRecipe;
import dev.kedge.recipe.preference.HypoRecipe;
import dev.kedge.recipe.preference.HypoRecipeTest;
import dev.kedge.recipe.preference.ListwiseLoss;
import dev.kedge.recipe.preference.PairwiseJudge;
import dev.kedge.recipe.preference.RrpoRecipe;
import dev.kedge.recipe.preference.XpoRecipe;
import dev.kedge.recipe.preference.XpoRecipeTest;
import dev.kedge.recipe.sparsity.SubnetworkConfig;
import dev.kedge.recipe.sparsity.SubnetworkRecipeTest;
import dev.kedge.recipe.supervised.AsftRecipe;
import dev.kedge.recipe.supervised.AsftRecipeTest;
import dev.kedge.recipe.supervised.SftRecipe;
import dev.kedge.recipe.supervised.TokenLoss;
import dev.kedge.recipe.unpaired.KtoRecipeTest;
import dev.kedge.recipe.variational.DpgInference;
import dev.kedge.recipe.variational.DpgRecipeTest;
import dev.kedge.recipe.variational.DpgTarget;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.UnpairedLoss;
import dev.kedge.task.EnumerableLanguage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Kills a recipe (SIGKILL) at random moments, resumes it each time, and compares with a run left in peace.
class ResumeTest {
    private static final int STEPS = 40;

    @TempDir
    Path folder;

    /// Both phases: supervised first, then preferences against what came out.
    @Test
    void preferencesAfterFineTuning() throws Exception {
        Path model = TinyTask.model(folder.resolve("start"), 1);
        Path data = TinyTask.preferences(folder.resolve("data.jsonl"), 120, 2);
        TrainingConfig o = TinyTask.optimisation(STEPS, 4, 3e-3, 7);
        DpoRecipe.Config c = TinyTask.dpo(model, data, new PreferenceLoss.Sigmoid(0.5), o);
        DpoRecipe.Config config = new DpoRecipe.Config(
                c.model(),
                c.data(),
                c.loss(),
                c.adapter(),
                c.maxLength(),
                c.truncation(),
                c.heldOut(),
                Optional.of(o),
                c.training(),
                c.evaluation(),
                c.device(),
                1,
                c.seed());
        killAndCompare("dpo", config, new String[] {"sft", "dpo"}, 20263);
    }

    @Test
    void phrasePreferencesAfterFineTuning() throws Exception {
        Path model = TinyTask.model(folder.resolve("start"), 1);
        Path data = TinyTask.phrases(folder.resolve("data.jsonl"), 120, 2);
        TrainingConfig o = TinyTask.optimisation(STEPS, 4, 3e-3, 7);
        RrpoRecipe.Config c = TinyTask.rrpo(model, data, 0.05, o);
        RrpoRecipe.Config config = new RrpoRecipe.Config(
                c.model(),
                c.data(),
                c.beta(),
                c.alpha(),
                c.adapter(),
                c.maxLength(),
                c.truncation(),
                c.heldOut(),
                Optional.of(o),
                c.training(),
                c.evaluation(),
                c.device(),
                c.threads(),
                c.seed());
        killAndCompare("rrpo", config, new String[] {"sft", "rrpo"}, 20265);
    }

    /// The shift of the rewards lives across steps.
    @Test
    void labelledCompletionsAfterFineTuning() throws Exception {
        var config = KtoRecipeTest.config(folder, new UnpairedLoss.Bco(0.5), TinyTask.optimisation(STEPS, 4, 3e-3, 7));
        killAndCompare("kto", config, new String[] {"sft", "kto"}, 20264);
    }

    /// The student is made once, and draws completions at every step.
    @Test
    void distillationOnOwnCompletions() throws Exception {
        var student = new GkdRecipe.Student.Random(8, 1, 2);
        var config = GkdRecipeTest.config(folder, student, 0.5, 0.5, TinyTask.optimisation(STEPS, 4, 3e-3, 7));
        killAndCompare("gkd", config, new String[] {"sft", "gkd"}, 20265);
    }

    /// The anchor and what its rule remembers live across steps.
    @Test
    void ownAnswersAgainstAMovingAnchor() throws Exception {
        TrainingConfig o = TinyTask.optimisation(STEPS, 4, 3e-3, 7);
        AdpoRecipe.Config config = AdpoRecipeTest.config(
                new ListwiseLoss.Listwise(0.5),
                new AnchorRule.KlTriggered(0.005, 5),
                new AdaptiveTau.TargetEntropy(0.5, 0.1),
                List.of(1.0, 0.5),
                o,
                STEPS);
        killAndCompare("adpo", config, new String[] {"pretraining", "tau-1_0", "tau-0_5"}, 20266);
    }

    @Test
    void ownAnswersAgainstTheReferences() throws Exception {
        TrainingConfig o = TinyTask.optimisation(STEPS, 4, 3e-3, 7);
        XpoRecipe.Config config = XpoRecipeTest.config(List.of(0.01, 0.0), o, STEPS);
        killAndCompare("xpo", config, new String[] {"pretraining", "alpha-0_01", "alpha-0_0"}, 20267);
    }

    @Test
    void fineTuning() throws Exception {
        Path model = TinyTask.model(folder.resolve("start"), 1);
        Path data = TinyTask.completions(folder.resolve("data.jsonl"), 120, 2);
        SftRecipe.Config config = TinyTask.sft(model, data, TinyTask.optimisation(STEPS, 8, 3e-3, 7));
        killAndCompare("sft", config, new String[] {"sft"}, 20264);
    }

    @Test
    void fineTuningHeldToTheBase() throws Exception {
        var methods = List.of(TokenLoss.ASFT, TokenLoss.DFT);
        AsftRecipe.Config config =
                AsftRecipeTest.config(folder, methods, List.of(0.5), TinyTask.optimisation(STEPS, 4, 3e-3, 7));
        killAndCompare("asft", config, new String[] {"asft-0_5", "dft"}, 20268);
    }

    /// The rule's windows live across steps; its policy of every task is kept on the way.
    @Test
    void tasksOneAfterAnother() throws Exception {
        RecapRecipe.Config config = RecapRecipeTest.config(
                RecapRecipe.Signal.LOSS,
                List.of(RecapRecipeTest.rule(0.5)),
                TinyTask.optimisation(STEPS, 8, 5, 3e-3, 7));
        killAndCompare("recap", config, new String[] {"first", "recap-t-0_5-w-3", "none"}, 20269);
    }

    /// The reference, DPO's policy and HyPO's, which draws answers at every step.
    @Test
    void answersThatThePolicyDrawsAsItLearns() throws Exception {
        HypoRecipe.Config config =
                HypoRecipeTest.config(0.4, List.of(0.1), TinyTask.optimisation(STEPS, 4, 3e-3, 7), STEPS);
        killAndCompare("hypo", config, new String[] {"pretraining", "dpo-beta-0_5", "hypo-lambda-0_1"}, 20265);
    }

    /// The base, the reward model made from it, and DPO's policy.
    @Test
    void rewardsThatGuideABase() throws Exception {
        GenarmRecipe.Config config = GenarmRecipeTest.config(
                List.of(1.0), Optional.empty(), TinyTask.optimisation(STEPS, 4, 3e-3, 7), STEPS);
        killAndCompare("genarm", config, new String[] {"pretraining-base", "rewards", "dpo-beta-0_5"}, 20270);
    }

    /// The running Z and the proposal of DPG, what was measured on the way, and a second start.
    @Test
    void targetsAndInferences() throws Exception {
        var posterior = new DpgTarget.Posterior(new DpgTarget.Score("ab", false), 0.5);
        var dpg = DpgRecipeTest.dpg(true, DpgInference.Criterion.KLD);
        var gradient = new DpgInference.PolicyGradient(DpgInference.Baseline.LEAVE_ONE_OUT);
        var config = DpgRecipeTest.config(
                List.of(
                        DpgRecipeTest.method("kl-rl", posterior, gradient, EnumerableLanguage.Reads.TEXT),
                        DpgRecipeTest.method("dpg", posterior, dpg, EnumerableLanguage.Reads.TEXT),
                        DpgRecipeTest.method("place", posterior, dpg, EnumerableLanguage.Reads.PLACE)),
                STEPS,
                7);
        killAndCompare(
                "dpg", config, new String[] {"pretraining", "pretraining-of-places", "kl-rl", "dpg", "place"}, 20271);
    }

    /// The half step, the snapshots, and the draws of both methods.
    @Test
    void extragradientAndOnlineIpo() throws Exception {
        var config = new EgpoRecipe.Config(
                TinyTask.sums(8, STEPS),
                new PairwiseJudge.Game(1),
                0.5,
                List.of(EgpoRecipe.Method.EGPO, EgpoRecipe.Method.ONLINE_IPO),
                2,
                10,
                2,
                TinyTask.optimisation(STEPS, 8, 3e-3, 6),
                20,
                "cpu",
                1,
                3);
        killAndCompare("egpo", config, new String[] {"pretraining", "egpo", "online_ipo"}, 20265);
    }

    /// Four iterations of ten steps with the reference, and as many without it.
    @Test
    void policiesAgainstTheirPredecessors() throws Exception {
        var config = new InpoRecipe.Config(
                TinyTask.sums(8, STEPS),
                new PairwiseJudge.Game(1),
                1,
                List.of(0.5, 0.0),
                4,
                40,
                TinyTask.optimisation(STEPS / 4, 8, 3e-3, 4),
                "cpu",
                1,
                3);
        killAndCompare("inpo", config, new String[] {"pretraining", "tau-0_5", "tau-0_0"}, 20266);
    }

    /// Two steps a draw; GTPO remembers what the first of all draws decided, REINFORCE its baseline.
    @Test
    void methodsThatRememberAcrossSteps() throws Exception {
        TrainingConfig o = TinyTask.optimisation(STEPS, 8, 3e-3, 6);
        var config = new RlvrRecipe.Config(
                new Environment.Generated(
                        new ScratchSum(Optional.of(0.5)), 0.5, 16, 1, 2, 300, o, 40, 8, Optional.empty()),
                List.of(new GtpoMethod(0.005, Optional.empty(), 2, Conflicts.COUNTED), new ReinforceMethod()),
                4,
                1,
                Truncated.JUDGED,
                o,
                2,
                1,
                STEPS,
                4,
                STEPS,
                "cpu",
                1,
                3);
        killAndCompare("rlvr", config, new String[] {"pretraining", "gtpo", "reinforce"}, 20267);
    }

    /// Each draw serves four steps in two passes, and checkpoints fall between them: what is replayed is read from
    /// disk. OREAL's reward model of tokens learns along.
    @Test
    void aDrawReplayedAndARewardModelOfTokens() throws Exception {
        var environment = new Environment.Generated(
                new ScratchSum(),
                0.7,
                16,
                1,
                2,
                300,
                TinyTask.optimisation(STEPS, 8, 1e-2, 7),
                40,
                10,
                Optional.empty());
        var weights = new OrealMethod.TokenWeights(1e-3, 5, new OrealMethod.Weighing.Threshold(0.5, 0.5));
        var config = new RlvrRecipe.Config(
                environment,
                List.of(
                        new OrealMethod(0.5, 0.01, OrealMethod.Kept.ALL, Optional.of(weights)),
                        new ToprMethod(ToprMethod.Taper.CANONICAL, 0, true)),
                4,
                1,
                Truncated.JUDGED,
                TinyTask.optimisation(STEPS, 4, 3e-3, 7),
                4,
                2,
                STEPS,
                4,
                STEPS,
                "cpu",
                1,
                3);
        killAndCompare("rlvr", config, new String[] {"pretraining", "oreal", "topr"}, 20267);
    }

    /// The start, the reward learned from its answers, and two policies that learn from that.
    @Test
    void aRewardLearnedFromPreferences() throws Exception {
        LearnedReward environment =
                LearnedRewardTest.environment(60, Optional.empty(), TinyTask.optimisation(STEPS, 8, 1e-2, 7), 3e-3);
        RlvrRecipe.Config config = LearnedRewardTest.config(environment, STEPS, 7);
        String[] phases = {"pretraining", "reward-model", "ppo", "ppo-root-chi-squared"};
        killAndCompare("rlvr", config, phases, 20269);
    }

    /// Two steps a draw, checkpoints in between: the policy that drew, the average of policies and the band of
    /// entropies come back.
    @Test
    void proxiesAndBandsOfThePast() throws Exception {
        TrainingConfig o = TinyTask.optimisation(STEPS, 8, 3e-3, 7);
        var pull = new LpRegMethod.Pull.Sampled(10);
        var config = new RlvrRecipe.Config(
                new Environment.Generated(new ScratchSum(), 0.5, 16, 1, 2, 300, o, 40, 8, Optional.empty()),
                List.of(
                        new LpRegMethod(new LpRegMethod.Source.Sampler(), 0.02, pull, 0.3, 1, 1, 9),
                        new LpRegMethod(new LpRegMethod.Source.Average(0.9), 0.02, pull, 0.3, 1, 1, 9),
                        new SpineMethod(new SpineMethod.Selection.TopShare(0.5, 0.1, 0.5), 0.2, 0.1, 0.1, 0.9, 0.1)),
                4,
                1,
                Truncated.JUDGED,
                o,
                2,
                1,
                STEPS,
                16,
                STEPS,
                "cpu",
                1,
                3);
        killAndCompare("rlvr", config, new String[] {"pretraining", "lp-reg", "lp-reg-to-an-average", "spine"}, 20268);
    }

    /// Policies one after the other; a kill costs the one that is being trained.
    @Test
    void policiesHeldByWhatTheyVisit() throws Exception {
        var actions = new OccupancyConfig.Arm(new Penalty.Actions(Penalty.Divergence.KL), List.of(0.5));
        var config = OccupancyRecipeTest.config(OccupancyRecipeTest.sampled(STEPS, 20), List.of(actions));
        String[] phases = {"none", "theory", "actions-kl-0_5"};
        killAndCompare("occupancy", config, phases, OccupancyRecipe.POLICIES, 20271);
    }

    /// A sweep, and the subnetwork of one of its policies alone.
    @Test
    void subnetworks() throws Exception {
        SubnetworkConfig config = SubnetworkRecipeTest.config(
                List.of(SubnetworkConfig.Algorithm.SFT, SubnetworkConfig.Algorithm.GRPO),
                List.of(3e-3),
                1e-5,
                TinyTask.optimisation(STEPS, 4, 3e-3, 7),
                STEPS);
        killAndCompare(
                "subnetwork",
                config,
                new String[] {"pretraining", "sft-0_003", "grpo-0_003", "subnetwork-alone"},
                20272);
    }

    private void killAndCompare(String recipe, Record config, String[] phases, long seed) throws Exception {
        killAndCompare(recipe, config, phases, "model/model.safetensors", seed);
    }

    /// One kill in each phase.
    private void killAndCompare(String recipe, Record config, String[] phases, String result, long seed)
            throws Exception {
        Random random = new Random(seed);
        Path yaml = Files.writeString(folder.resolve("recipe.yaml"), ConfigFile.text(recipe, config));
        // Each in a folder of its own, where models are kept that runs share.
        Path undisturbed = Files.createDirectory(folder.resolve("undisturbed")).resolve("run");
        Process inPeace = RecipeProcess.process(yaml, undisturbed).start();
        Path killed = Files.createDirectory(folder.resolve("killed")).resolve("run");
        for (int phase = 0; phase < phases.length; phase++) {
            // Beyond the first checkpoint, and far enough from the end to be hit.
            int lines = phase * STEPS + 8 + random.nextInt(STEPS / 2);
            killAfter(
                    lines,
                    random.nextInt(10),
                    RecipeProcess.process(yaml, killed).start(),
                    killed);
        }
        assertEquals(0, RecipeProcess.process(yaml, killed).start().waitFor());
        assertEquals(0, inPeace.waitFor());
        for (String phase : phases) {
            var expected = new RecordedRun(undisturbed).metrics(phase);
            assertEquals(STEPS, expected.size());
            assertEquals(expected, new RecordedRun(killed).metrics(phase), "seed " + seed);
        }
        assertArrayEquals(
                Files.readAllBytes(undisturbed.resolve(result)),
                Files.readAllBytes(killed.resolve(result)),
                "seed " + seed);
        assertEquals(
                new RecordedRun(undisturbed).summary().get("verdict"),
                new RecordedRun(killed).summary().get("verdict"));
    }

    private static void killAfter(int lines, int millis, Process process, Path run) throws Exception {
        Path metrics = run.resolve("metrics.jsonl");
        while (process.isAlive() && !(Files.exists(metrics) && lines(metrics) >= lines)) {
            Thread.sleep(1);
        }
        Thread.sleep(millis);
        process.destroyForcibly();
        assertEquals(128 + 9, process.waitFor(), "not killed, but ended by itself");
    }

    private static long lines(Path file) throws Exception {
        try (var lines = Files.lines(file)) {
            return lines.count();
        }
    }
}
