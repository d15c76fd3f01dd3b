package dev.kedge.recipe.demonstration;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.kedge.config.ConfigException;
import dev.kedge.config.ConfigFile;
import dev.kedge.env.mdp.BackwardInduction;
import dev.kedge.env.mdp.FiniteHorizonMdp;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.RidgeVisits;
import dev.kedge.env.mdp.Trajectory;
import dev.kedge.recipe.Recipes;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.recipe.demonstration.DemoRegRlBench.Demonstrations;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Arm;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Strength;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DemoRegRlRecipeTest {
    private static final Path YAML = Path.of("../recipes/demo-reg-rl.yaml");

    @TempDir
    Path folder;

    private static ConfigFile file(String... overrides) {
        return ConfigFile.open(YAML, List.of(overrides));
    }

    private static DemoRegRlConfig tiny(String... more) {
        List<String> overrides = new ArrayList<>(List.of(
                "environment={kind: river_swim, states: 4, horizon: 5, success: 0.9, near: 0.05, far: 1.0}",
                "demonstrations=[3, 12]",
                "episodes=30",
                "repetitions=2",
                "preferences.demonstrations=5",
                "preferences.pairs=[20]",
                "preferences.lambdas=[0.0, 0.5]"));
        overrides.addAll(List.of(more));
        return (DemoRegRlConfig) Recipes.config(file(overrides.toArray(String[]::new)));
    }

    @Test
    void theShippedRecipeInATinyWorld() throws Exception {
        DemoRegRlConfig config = tiny();
        RecordedRun run = new RecordedRun(TinyTask.run("demo-reg-rl", config, folder.resolve("run")));
        JsonNode summary = run.summary();
        assertEquals("finished", summary.get("status").asText());
        DemoRegRlBench bench = DemoRegRlBench.of(config);
        assertEquals(
                bench.best(), run.fact("value_of_the_best_policy").get("value").asDouble(), 1e-12);
        // Curves, episodes for two thresholds, the frontier, preferences.
        assertEquals(4, summary.get("more_frontiers").size());
        JsonNode curves = summary.get("frontier").get("arms");
        assertEquals("UCBVI", curves.get(0).get("name").asText());
        for (int arm = 0; arm < 4; arm++) {
            JsonNode points = curves.get(arm).get("points");
            double first = points.get(0).get("y").asDouble();
            double last = points.get(points.size() - 1).get("y").asDouble();
            assertTrue(last >= 0 && last < first, curves.get(arm) + ": the gap falls");
        }
        var gaps = run.metrics("held to the clone, ε 0.3, N 12");
        assertEquals(31, gaps.size());
        assertEquals(
                bench.best(),
                gaps.get(7).get("gap").asDouble() + gaps.get(7).get("value").asDouble(),
                1e-12);
        List<String> policy = Files.readAllLines(run.folder().resolve("policy.csv"));
        assertEquals(1 + 5 * 4 * 2, policy.size());
        double sum = 0; // over the two actions in the last stage and state
        for (String line : policy.subList(policy.size() - 2, policy.size())) {
            assertTrue(line.startsWith("4,3,"), line);
            sum += Double.parseDouble(line.split(",")[3]);
        }
        assertEquals(1, sum, 1e-12);
        JsonNode bound = run.fact("gap_regularized_matched_0_3_n_12");
        assertTrue(bound.get("note").asText().contains("lambda·KLtraj 0.300"), bound.toString());
    }

    @Test
    void aSecondRunHasTheSameNumbers() throws Exception {
        DemoRegRlConfig config = tiny("arms=[{kind: regularized, strength: {kind: given, lambda: 0.2}}]");
        var one = new RecordedRun(TinyTask.run("demo-reg-rl", config, folder.resolve("one")));
        var other = new RecordedRun(TinyTask.run("demo-reg-rl", config, folder.resolve("other")));
        String phase = "held to the clone, λ 0.2, N 3";
        RecordedRun.assertClose(one, other, phase, 0);
        Files.delete(folder.resolve("one/summary.json")); // as after a kill: starts over
        TinyTask.run("demo-reg-rl", config, folder.resolve("one"));
        RecordedRun.assertClose(one, other, phase, 0);
    }

    /// All environments, planners and ways of cloning that a recipe can name.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "environment={kind: garnet, states: 4, actions: 3, branching: 2, horizon: 3, seed: 1}"
                        + "|planner={kind: tabular, bonus: {kind: bernstein, root: 3.0, rest: 9.0, "
                        + "scale: 0.01, delta: 0.1}}"
                        + "|cloning={kind: counts, smoothing: 0.5}",
                "environment={kind: grid, map: ['S.', '#G'], horizon: 4, slip: 0.1}"
                        + "|planner={kind: tabular, bonus: {kind: hoeffding, scale: 0.1}}"
                        + "|cloning={kind: counts, smoothing: 1.0}",
                "environment={kind: linear, states: 5, actions: 2, rank: 2, horizon: 3, seed: 1}"
                        + "|planner={kind: linear, one_hot: false, ridge: 0.1, beta: 0.1}"
                        + "|cloning={kind: softmax_linear, ridge: 0.1, uniform: 0.05}"
            })
    void everyKindRuns(String environment, String planner, String cloning) throws Exception {
        DemoRegRlConfig config = tiny(
                environment,
                planner,
                cloning,
                "preferences.episodes=5",
                "stop=1.5",
                "arms=[{kind: greedy, explores: true},"
                        + " {kind: regularized, strength: {kind: shrinking, eps: 0.5, half: 5}}]");
        var run = new RecordedRun(TinyTask.run("demo-reg-rl", config, folder.resolve("run")));
        assertEquals("finished", run.summary().get("status").asText());
        assertTrue(run.fact("gap_greedy_explores").get("value").asDouble()
                < DemoRegRlBench.of(config).best());
    }

    @Test
    void strengths() {
        assertEquals(0.15, new Strength.Matched(0.3).lambda(2, 20, 192).applyAsDouble(7));
        assertEquals(0.3 * 20 / 192, new Strength.Bound(0.3).lambda(2, 20, 192).applyAsDouble(7), 1e-15);
        var shrinking = new Strength.Shrinking(0.3, 5).lambda(2, 20, 192);
        assertEquals(0.15, shrinking.applyAsDouble(0));
        assertEquals(0.075, shrinking.applyAsDouble(5));
    }

    /// The clone's divergence falls as demonstrations are added, and what an arm is held to is that clone: with a huge
    /// strength nothing else comes out.
    @Test
    void armsAreHeldToTheirClones() {
        DemoRegRlConfig config = tiny();
        DemoRegRlBench bench = DemoRegRlBench.of(config);
        Demonstrations demonstrations = bench.demonstrate(1);
        assertEquals(12, demonstrations.expert().size());
        var strong = new Arm.Regularized(new Strength.Given(1e9));
        for (int n : List.of(3, 12)) {
            List<MdpPolicy> clone = bench.clone(demonstrations.expert().subList(0, n));
            var trial = bench.trial(strong, n, demonstrations, 5);
            assertEquals(bench.value(clone), trial.result().value()[30], 1e-6);
            assertEquals(
                    bench.value(clone),
                    bench.trial(new Arm.Clone(), n, demonstrations, 5).result().value()[0]);
            assertEquals(
                    BackwardInduction.trajectoryKl(bench.environment(), bench.expert(), clone),
                    trial.divergence(),
                    1e-12);
        }
        double few = bench.trial(strong, 3, demonstrations, 5).divergence();
        assertTrue(bench.trial(strong, 12, demonstrations, 5).divergence() < few);
        var counted = bench.trial(new Arm.Counted(true), 12, demonstrations, 5).result();
        var fresh = bench.trial(new Arm.Greedy(true), 0, demonstrations, 5).result();
        assertTrue(counted.value()[30] != fresh.value()[30] || counted.value()[1] != fresh.value()[1]);
    }

    /// One-hot features and hardly any ridge: the likeliest policy is how often actions were taken.
    @Test
    void aLinearCloneWithOneHotFeaturesCounts() {
        FiniteHorizonMdp environment = new FiniteEnvironment.Garnet(3, 2, 2, 2, 4).process();
        List<MdpPolicy> expert = Collections.nCopies(2, MdpPolicy.uniform(3, 2));
        var random = new SplittableRandom(2);
        List<Trajectory> shown = Stream.generate(() -> Trajectory.sample(environment, expert, random))
                .limit(60)
                .toList();
        double[][][] features = RidgeVisits.oneHot(3, 2);
        List<MdpPolicy> counted = new Cloning.Counts(1e-9).learn(environment, features, shown);
        List<MdpPolicy> linear = new Cloning.SoftmaxLinear(1e-3, 1e-9).learn(environment, features, shown);
        for (int h = 0; h < 2; h++) {
            for (int s = 0; s < 3; s++) {
                assertArrayEquals(
                        counted.get(h).probabilities()[s], linear.get(h).probabilities()[s], 1e-3, h + ", " + s);
            }
        }
    }

    /// Without noise in the labels' source the estimate orders trajectories as the truth does; it stays in [0, 1], and
    /// what no pair went through stays what it was.
    @Test
    void rewardsAreLearntFromPreferences() {
        FiniteHorizonMdp environment = new FiniteEnvironment.Garnet(3, 2, 2, 3, 6).process();
        List<MdpPolicy> policies = Collections.nCopies(3, MdpPolicy.uniform(3, 2));
        var pairs = PreferredRewards.pairs(environment, policies, 4000, new SplittableRandom(1));
        double[][][] reward = PreferredRewards.fit(environment, pairs, 0.5);
        var learnt = new FiniteHorizonMdp(environment.transitions(), reward, environment.start());
        var planned = BackwardInduction.optimal(learnt).policies();
        double best = environment.expectedReturn(
                BackwardInduction.optimal(environment).values()[0]);
        double random = environment.expectedReturn(
                BackwardInduction.evaluate(environment, policies).values()[0]);
        double reached = environment.expectedReturn(
                BackwardInduction.evaluate(environment, planned).values()[0]);
        assertTrue(reached > random + 0.8 * (best - random), reached + " of " + best);
        for (double[][] stage : reward) {
            for (double[] row : stage) {
                for (double r : row) {
                    assertTrue(r >= 0 && r <= 1);
                }
            }
        }
        double least = nll(pairs, reward);
        var noise = new SplittableRandom(2);
        for (int trial = 0; trial < 50; trial++) {
            double[][][] moved = new double[3][3][2];
            double scale = trial % 2 == 0 ? 0.01 : 0.3;
            for (int i = 0; i < 18; i++) {
                double r = reward[i / 6][i / 2 % 3][i % 2] + scale * noise.nextGaussian();
                moved[i / 6][i / 2 % 3][i % 2] = Math.clamp(r, 0, 1);
            }
            assertTrue(nll(pairs, moved) >= least - 1e-6, "likelier rewards nearby");
        }
        assertEquals(0.5, PreferredRewards.fit(environment, pairs, 0.5)[0][1][1], "stage 0 begins in state 0");
        assertEquals(0.25, PreferredRewards.fit(environment, List.of(), 0.25)[2][2][1]);
    }

    private static double nll(List<PreferredRewards.Pair> pairs, double[][][] reward) {
        return pairs.stream()
                        .mapToDouble(pair -> {
                            double d = total(pair.second(), reward) - total(pair.first(), reward);
                            return Math.log1p(Math.exp(pair.secondPreferred() ? -d : d));
                        })
                        .sum()
                / pairs.size();
    }

    private static double total(Trajectory trajectory, double[][][] reward) {
        double sum = 0;
        for (int h = 0; h < reward.length; h++) {
            sum += reward[h][trajectory.states()[h]][trajectory.actions()[h]];
        }
        return sum;
    }

    @Test
    void demonstrationsOfAnotherHorizonAreRefused() {
        FiniteHorizonMdp environment = new FiniteEnvironment.Garnet(3, 2, 2, 3, 6).process();
        var longer = new Trajectory(new int[5], new int[5], new double[5]);
        var error = assertThrows(IllegalArgumentException.class, () -> new Cloning.Counts(1)
                .learn(environment, RidgeVisits.oneHot(3, 2), List.of(longer)));
        assertEquals("a trajectory of 5 stages in a process of 3", error.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "demonstrations=[]|needs demonstrations, such as [5, 20, 80], were none",
                "demonstrations=[5, 0]|demonstrations must be different numbers >= 1, were [5, 0]",
                "cloning.smoothing=0.0"
                        + "|smoothing must be finite and > 0, so that the clone takes every action sometimes, was 0.0",
                "arms=[{kind: uniform, lambda: 0.0}]|lambda must be finite and > 0, was 0.0",
                "arms=[{kind: regularized, strength: {kind: matched, eps: -1.0}}]|eps must be finite and > 0, was -1.0",
                "arms=[]|arms must be different, at least one, were []",
                "planner.bonus.scale=0.0|scale must be finite and > 0, was 0.0",
                "noise=2.0|noise must be from 0 to 1, was 2.0",
                "environment={kind: grid, map: ['..'], horizon: 3, slip: 0.0}"
                        + "|a map with one S and at least one G expected, were 0 and 0",
                "preferences.unseen=2.0|unseen from 0 to 1 and episodes >= 0 expected, were 2.0 and 0",
                "stop=0.0|stop must be finite and > 0, was 0.0"
            })
    void badConfigurationsAreRefused(String override, String message) {
        var error = assertThrows(ConfigException.class, () -> Recipes.config(file(override)));
        assertTrue(error.getMessage().contains(message), error.getMessage());
    }
}
