package dev.kedge.recipe.occupancy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.ConfigException;
import dev.kedge.config.ConfigFile;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.Occupancy;
import dev.kedge.env.mdp.Penalty;
import dev.kedge.env.mdp.Penalty.Divergence;
import dev.kedge.env.mdp.ProxyBound;
import dev.kedge.recipe.Recipes;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.recipe.occupancy.OccupancyConfig.Arm;
import dev.kedge.recipe.occupancy.ProxyEnvironment.Evaluator;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

public class OccupancyRecipeTest {
    private static final Penalty ROOT = new Penalty.Occupancies(Divergence.ROOT_CHI_SQUARED);
    private static final Penalty ACTIONS = new Penalty.Actions(Divergence.KL);

    @TempDir
    Path folder;

    public static OccupancyConfig.Sampled sampled(int steps, int cloning) {
        return new OccupancyConfig.Sampled(
                steps, 256, 256, 4, 4, 32, 3e-3, 3e-3, 0.2, 0.95, 0.01, 0.01, 10, 1e10, cloning);
    }

    public static OccupancyConfig config(OccupancyConfig.Learning learning, List<Arm> penalties) {
        return new OccupancyConfig(new ProxyEnvironment.Grid(1), learning, penalties, 4, 1, 3);
    }

    /// Without a penalty the proxy is hacked, with the theory's the truth gains too; the bound holds all the way.
    @Test
    void whatIsVisitedHoldsThePolicy() throws Exception {
        var arms = List.of(new Arm(ROOT, List.of(0.5, 0.2)), new Arm(ACTIONS, List.of(5.0, 1.0)));
        var config = config(new OccupancyConfig.Exact(300, 0.1), arms);
        RecordedRun run = new RecordedRun(TinyTask.run("occupancy", config, folder.resolve("run")));
        run.assertComplete("occupancy");
        JsonNode comparisons = run.summary().get("comparisons");
        double reference = comparisons.get(0).at("/before/value").asDouble();
        assertTrue(comparisons.get(0).at("/after/value").asDouble() < reference / 2, comparisons.toString());
        assertTrue(comparisons.get(1).at("/after/value").asDouble() > reference + 0.1, comparisons.toString());
        assertTrue(value(run, "best_true_reward_occupancies_root_chi_squared")
                > value(run, "best_true_reward_actions_kl"));
        assertTrue(value(run, "least_slack_of_the_bound") > -1e-9);
        List<ObjectNode> way = run.metrics("none");
        assertEquals(4, way.size());
        assertTrue(way.getLast().get("proxy_return").asDouble() > 2);
        assertTrue(Files.size(run.folder().resolve(OccupancyRecipe.POLICIES)) > 6 * 25 * 4 * 8);
        JsonNode first =
                run.summary().get("frontier").get("arms").get(0).get("points").get(0);
        assertEquals("reference", first.get("label").asText());
        assertEquals(0, first.get("x").asDouble(), 1e-9);
    }

    private static double value(RecordedRun run, String fact) throws Exception {
        JsonNode value = run.fact(fact).get("value");
        return value.isNumber() ? value.asDouble() : value.get("value").asDouble();
    }

    /// PPO finds what the truth rewards too; the discriminator tells it from the reference by then; from a copy of the
    /// reference it starts near it.
    @Test
    void aDiscriminatorTellsThePolicyFromTheReference() throws Exception {
        var config = config(sampled(40, 200), List.of(new Arm(ACTIONS, List.of(20.0))));
        RecordedRun run = new RecordedRun(TinyTask.run("occupancy", config, folder.resolve("run")));
        run.assertComplete("occupancy");
        List<ObjectNode> free = run.metrics("none");
        assertEquals(40, free.size());
        assertEquals(2 * Math.log(2), free.getFirst().get("discriminator_loss").asDouble(), 0.05);
        assertTrue(
                free.getFirst().get("action_kl").asDouble() < 0.1,
                free.getFirst().toString());
        assertTrue(
                free.getLast().get("discriminator_loss").asDouble() < 1.3,
                free.getLast().toString());
        assertTrue(
                free.getLast().get("occupancy_kl").asDouble() > 0.05,
                free.getLast().toString());
        assertTrue(free.getLast().get("true_return").asDouble()
                > free.getFirst().get("true_return").asDouble());
        double gone = free.getLast().get("action_kl").asDouble();
        double held = run.metrics("actions-kl-20_0").getLast().get("action_kl").asDouble();
        assertTrue(held < gone / 2, held + " of " + gone);
        for (ObjectNode step : run.metrics("theory")) {
            assertTrue(step.get("chi_squared_untrimmed").asDouble()
                    > step.get("chi_squared").asDouble() - 0.1);
            assertTrue(step.has("value_loss") && step.has("penalised_return"), step.toString());
        }
    }

    /// Penalties that are not of actions leave the loss alone and change rewards; of none there is nothing to take off.
    @Test
    void everyPenaltyIsTaken() {
        var environment = new ProxyEnvironment.Tomato(ProxyEnvironment.Tomato.Level.SMALL);
        Evaluator measured = Evaluator.of(environment);
        for (Divergence divergence : Divergence.values()) {
            for (Penalty penalty : List.of(
                    new Penalty.States(divergence),
                    new Penalty.Occupancies(divergence),
                    new Penalty.Actions(divergence))) {
                try (var ppo = new OccupancyPpo(sampled(1, 0), environment, measured, penalty, 0.1, 5);
                        var free = new OccupancyPpo(sampled(1, 0), environment, measured, new Penalty.None(), 0, 5)) {
                    Map<String, Double> held = ppo.iterate();
                    Map<String, Double> unheld = free.iterate();
                    assertEquals(unheld.get("proxy_return"), held.get("proxy_return"), "the same draws");
                    assertEquals(unheld.get("proxy_return"), unheld.get("penalised_return"), 1e-12);
                    if (!(penalty instanceof Penalty.Actions)) {
                        assertNotEquals(held.get("proxy_return"), held.get("penalised_return"));
                    }
                    assertNotEquals(
                            free.policy().probabilities()[0][0],
                            ppo.policy().probabilities()[0][0],
                            penalty.toString());
                }
            }
        }
    }

    /// Where policies stand agrees with the objective's own bound.
    @Test
    void evaluationsAreThoseOfTheBound() {
        var measured = Evaluator.of(new ProxyEnvironment.Grid(3));
        var random = new SplittableRandom(2);
        double[][] logits = new double[25][4];
        for (double[] row : logits) {
            Arrays.setAll(row, _ -> random.nextGaussian());
        }
        MdpPolicy policy = MdpPolicy.softmax(logits);
        var evaluation = measured.evaluate(policy);
        try (Scope _ = new Scope()) {
            var there = Occupancy.discounted(measured.proxyMdp(), policy, 1e-12);
            ProxyBound bound = ProxyBound.of(
                    Tensor.of(there.mass()),
                    Tensor.of(measured.occupancy().mass()),
                    Tensor.of(measured.task().reward()),
                    Tensor.of(measured.task().proxy()));
            assertEquals(bound.gain().item(), evaluation.gain(), 1e-7);
            assertEquals(bound.bound().item(), evaluation.bound(), 1e-6 * Math.abs(evaluation.bound()));
            assertEquals(bound.chiSquared().item(), evaluation.chiSquared(), 1e-6 * evaluation.chiSquared());
            assertEquals(bound.lambda().item(), measured.theory() * measured.sigmaProxy(), 1e-7);
            assertEquals(bound.correlation().item(), measured.correlation(), 1e-9);
        }
        assertTrue(evaluation.gain() > evaluation.bound());
    }

    /// The recipe's own files, shortened.
    @Test
    void theRecipesRun() throws Exception {
        for (String name : List.of("correlated-proxies", "correlated-proxies-sampled")) {
            Path yaml = Path.of(System.getProperty("kedge.root"), "recipes", name + ".yaml");
            ConfigFile file = ConfigFile.open(yaml, List.of("learning.steps=2", "snapshots=2"));
            OccupancyConfig config = file.as(OccupancyConfig.class);
            RecordedRun run = new RecordedRun(TinyTask.run("occupancy", config, folder.resolve(name)));
            run.assertComplete("occupancy");
            assertEquals(2, run.metrics("theory").size());
        }
    }

    @Test
    void whatCannotBeIsRefused() throws Exception {
        assertEquals(
                "coefficients must be different finite numbers > 0, at least one, were [0.0]",
                refused(() -> new Arm(ROOT, List.of(0.0))));
        assertEquals(
                "a policy without a penalty is always there: list the others only",
                refused(() -> new Arm(new Penalty.None(), List.of(1.0))));
        var twice = List.of(new Arm(ROOT, List.of(1.0)), new Arm(ROOT, List.of(2.0)));
        assertTrue(refused(() -> config(sampled(1, 0), twice)).startsWith("each of the penalties once"));
        assertEquals(
                "steps >= 1 and a finite learning_rate > 0 expected, were 0 and 0.1",
                refused(() -> new OccupancyConfig.Exact(0, 0.1)));
        assertEquals(
                "trim must be in [0, 0.5), was 0.5",
                refused(() ->
                        new OccupancyConfig.Sampled(1, 256, 256, 4, 4, 32, 1e-3, 1e-3, 0.2, 0.95, 0, 0.5, 10, 10, 0)));
        assertEquals(
                "steps >= 1, batch >= 2 and minibatch from 1 to the batch expected, were 1, 256 and 512",
                refused(() ->
                        new OccupancyConfig.Sampled(1, 256, 512, 4, 4, 32, 1e-3, 1e-3, 0.2, 0.95, 0, 0.1, 10, 10, 0)));
        String yaml = ConfigFile.text("occupancy", config(sampled(1, 0), List.of()));
        var e = assertThrows(ConfigException.class, () -> ConfigFile.parse(
                        "x.yaml", yaml.replaceFirst("kind: \"?grid\"?", "kind: gird"), List.of())
                .as(OccupancyConfig.class));
        assertTrue(
                e.getMessage().contains("`environment.kind` cannot be \"gird\"; did you mean `grid`?"), e.getMessage());
        e = assertThrows(
                ConfigException.class,
                () -> Recipes.config(ConfigFile.parse(
                        "x.yaml", yaml.replaceFirst("recipe: \"?occupancy\"?", "recipe: orpo"), List.of())));
        assertTrue(e.getMessage().contains("unknown recipe `orpo`"), e.getMessage());
    }

    private static String refused(Executable what) {
        return assertThrows(IllegalArgumentException.class, what).getMessage();
    }
}
