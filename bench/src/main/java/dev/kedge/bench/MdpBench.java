package dev.kedge.bench;

import static dev.kedge.bench.BenchReport.text;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.env.mdp.Garnet;
import dev.kedge.env.mdp.Gridworld;
import dev.kedge.env.mdp.Mdp;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.Occupancy;
import dev.kedge.env.mdp.Regularizer;
import dev.kedge.env.mdp.ValueIteration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Exact solutions of discounted processes of 10,000 states, on one core: a random one, which forgets its start within
/// a few steps, and a walk across a large grid, which does not.
public final class MdpBench {
    private static final double DISCOUNT = 0.95;
    private static final double TOLERANCE = 1e-8;
    private static final int TURNS = 3;

    private MdpBench() {}

    public static BenchReport run() {
        ObjectNode json = BenchReport.object();
        json.put("benchmark", "mdp").put("discount", DISCOUNT).put("tolerance", TOLERANCE);
        json.put("load_average", BenchReport.load());
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("", "sweeps", "error bound", "first time", "then", "occupancy"));
        BenchReport.progress("10,000 states, 10 actions, 10 successors each");
        Mdp garnet = Garnet.mdp(10_000, 10, 10, DISCOUNT, 1);
        MdpPolicy ref = Garnet.policy(10_000, 10, 2);
        rows.add(solve(json, "garnet, KL", garnet, ref, new Regularizer.Kl(0.1)));
        rows.add(solve(json, "garnet, chi-squared", garnet, ref, new Regularizer.ChiSquared(0.1)));
        rows.add(solve(json, "garnet, none", garnet, ref, new Regularizer.None()));
        BenchReport.progress("a grid of 100 x 100 cells");
        rows.add(
                solve(json, "grid, KL", grid(), MdpPolicy.uniform(10_000, Gridworld.ACTIONS), new Regularizer.Kl(0.1)));
        List<String> lines = new ArrayList<>(BenchReport.table(rows));
        lines.add(text(
                "The garnet, 10,000 states and 10 actions with 10 successors each, is solved to its KL-regularised"
                        + " optimum within %s, proven, in %s from a cold start.",
                rows.get(1).get(2), rows.get(1).get(3)));
        return new BenchReport(lines, json);
    }

    private static Mdp grid() {
        double[][] reward = new double[10_000][Gridworld.ACTIONS];
        Arrays.fill(reward[9_999], 1);
        return new Mdp(Gridworld.open(100, 100).transitions(0.1), reward, Mdp.startAt(0, 10_000), DISCOUNT);
    }

    private static List<String> solve(ObjectNode json, String name, Mdp mdp, MdpPolicy ref, Regularizer regularizer) {
        List<Double> seconds = new ArrayList<>();
        ValueIteration.Solution solution = null;
        for (int turn = 0; turn < TURNS; turn++) {
            long begin = System.nanoTime();
            solution = ValueIteration.optimal(mdp, ref, regularizer, TOLERANCE);
            seconds.add((System.nanoTime() - begin) / 1e9);
        }
        long begin = System.nanoTime();
        Occupancy.discounted(mdp, solution.policy(), TOLERANCE);
        double occupancy = (System.nanoTime() - begin) / 1e9;
        double then = BenchReport.median(seconds.subList(1, TURNS));
        json.putObject(name.replaceAll("\\W+", "_"))
                .put("sweeps", solution.sweeps())
                .put("error_bound", solution.errorBound())
                .put("first_seconds", seconds.getFirst())
                .put("later_seconds", then)
                .put("occupancy_seconds", occupancy);
        return List.of(
                name,
                "" + solution.sweeps(),
                text("%.1e", solution.errorBound()),
                text("%.2f s", seconds.getFirst()),
                text("%.2f s", then),
                text("%.2f s", occupancy));
    }
}
