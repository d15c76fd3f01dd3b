package dev.kedge.reproduction.proxies;

import static dev.kedge.lab.claim.Measure.measure;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.reproduction.proxies.ProxyExperiments.Arm;
import dev.kedge.reproduction.proxies.ProxyExperiments.Sampling;
import dev.kedge.reproduction.proxies.ProxyExperiments.Scale;
import dev.kedge.reproduction.proxies.ProxyExperiments.Simulator;
import java.util.ArrayList;
import java.util.List;

/// The claims of Correlated Proxies (Laidlaw et al. 2024, arXiv:2403.03185).
public final class CorrelatedProxiesClaims {
    private static final String MEASURE = "true reward of a step";

    private CorrelatedProxiesClaims() {}

    public static List<Claim> claims() {
        List<Claim> claims = new ArrayList<>();
        claims.addAll(claims(Scale.PUBLISHED, Sampling.PUBLISHED));
        claims.addAll(ProxyRewardModelClaims.claims());
        return List.copyOf(claims);
    }

    public static List<Claim> claims(Scale scale, Sampling sampling) {
        List<Claim> claims = new ArrayList<>(grid(ProxyExperiments.grid(scale)));
        for (Simulator simulator : Simulator.values()) {
            claims.addAll(simulated(simulator, ProxyExperiments.simulator(simulator, scale)));
        }
        claims.addAll(sampled(ProxyExperiments.sampled(sampling)));
        return claims;
    }

    private static List<Claim> grid(Experiment e) {
        return List.of(
                hacking(e, "hacking", "In the grid"),
                above(e, "occupancies", "In the grid"),
                better(e, "actions", "In the grid", Arm.ACTION_KL),
                better(e, "occupancies-kl", "In the grid", Arm.OCCUPANCY_KL),
                measure(e, MEASURE, "")
                        .claim("stopping")
                        .says("In the grid √χ² of occupancies reaches more true reward than stopping early.")
                        .more(arm(Arm.OCCUPANCY), new Claim.Arm("no penalty, stopped early", ProxyExperiments.STOPPED)),
                measure(e, "best true reward less the reference's", "")
                        .claim("actions-root")
                        .says("In the grid √χ² of actions is never above the reference by more than .004.")
                        .less(new Claim.Arm(Arm.ACTION_ROOT.title, ProxyExperiments.ABOVE), 0.004),
                measure(e, "true reward missing from that of the best coefficient", "")
                        .claim("lambda")
                        .says("In the grid the theory's λ is within .02 of the best coefficient.")
                        .less(new Claim.Arm("the theory's λ", ProxyExperiments.BEHIND), 0.02),
                bound(e, "bound", "In the grid"));
    }

    private static List<Claim> simulated(Simulator simulator, Experiment e) {
        String where = "In " + simulator.title;
        return List.of(
                hacking(e, simulator.title + "-hacking", where),
                above(e, simulator.title + "-occupancies", where),
                better(e, simulator.title + "-actions", where, Arm.ACTION_KL),
                better(e, simulator.title + "-actions-root", where, Arm.ACTION_ROOT),
                better(e, simulator.title + "-occupancies-kl", where, Arm.OCCUPANCY_KL),
                measure(e, "true reward less the reference's", "")
                        .claim(simulator.title + "-lambda")
                        .says(where + " the theory's λ leaves a policy that is no worse than the reference, to .001.")
                        .more(new Claim.Arm("the theory's λ", ProxyExperiments.SAFE), -0.001),
                bound(e, simulator.title + "-bound", where));
    }

    private static List<Claim> sampled(Experiment e) {
        var theory = new Claim.Arm("the theory's λ", ProxyExperiments.THEORY);
        return List.of(
                hacking(e, "sampled-hacking", "Among tomatoes, by PPO,"),
                measure(e, MEASURE, "")
                        .claim("sampled-lambda")
                        .says("Among tomatoes, by PPO, the theory's λ leads to more true reward than the reference "
                                + "has.")
                        .more(theory, reference()),
                measure(e, MEASURE, "")
                        .claim("sampled-actions")
                        .says("Among tomatoes, by PPO, the theory's λ leads to more true reward than KL of actions.")
                        .more(theory, arm(Arm.ACTION_KL)));
    }

    private static Claim hacking(Experiment e, String name, String where) {
        return measure(e, MEASURE, "")
                .claim(name)
                .says(where + " a policy without a penalty ends with less true reward than the reference.")
                .less(new Claim.Arm("no penalty", ProxyExperiments.NONE), reference());
    }

    private static Claim above(Experiment e, String name, String where) {
        return measure(e, MEASURE, "")
                .claim(name)
                .says(where + " √χ² of occupancies reaches more true reward than the reference.")
                .more(arm(Arm.OCCUPANCY), reference());
    }

    private static Claim better(Experiment e, String name, String where, Arm other) {
        return measure(e, MEASURE, "")
                .claim(name)
                .says(where + " √χ² of occupancies reaches more true reward than " + other.title + ".")
                .more(arm(Arm.OCCUPANCY), arm(other));
    }

    private static Claim bound(Experiment e, String name, String where) {
        return measure(e, "least gain beyond the bound, in standard deviations of the true reward", "")
                .claim(name)
                .says(where + " no policy gains less than the bound says.")
                .more(new Claim.Arm("all policies", ProxyExperiments.SLACK), 0);
    }

    private static Claim.Arm arm(Arm arm) {
        return new Claim.Arm(arm.title, arm.number());
    }

    private static Claim.Arm reference() {
        return new Claim.Arm("reference", ProxyExperiments.REFERENCE);
    }
}
