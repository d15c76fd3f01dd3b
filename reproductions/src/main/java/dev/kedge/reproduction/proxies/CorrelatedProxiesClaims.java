package dev.kedge.reproduction.proxies;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.reproduction.proxies.ProxyExperiments.Arm;
import dev.kedge.reproduction.proxies.ProxyExperiments.Sampling;
import dev.kedge.reproduction.proxies.ProxyExperiments.Scale;
import dev.kedge.reproduction.proxies.ProxyExperiments.World;
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
        for (World world : World.values()) {
            claims.addAll(world(world, ProxyExperiments.world(world, scale)));
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
                claim(
                        e,
                        "stopping",
                        "In the grid √χ² of occupancies reaches more true reward than stopping early.",
                        MEASURE,
                        arm(Arm.OCCUPANCY),
                        Direction.MORE,
                        new Claim.Arm("no penalty, stopped early", ProxyExperiments.STOPPED)),
                claim(
                        e,
                        "actions-root",
                        "In the grid √χ² of actions is never above the reference by more than .004.",
                        "best true reward less the reference's",
                        new Claim.Arm(Arm.ACTION_ROOT.title, ProxyExperiments.ABOVE),
                        Direction.LESS,
                        new Threshold(0.004)),
                claim(
                        e,
                        "lambda",
                        "In the grid the theory's λ is within .02 of the best coefficient.",
                        "true reward missing from that of the best coefficient",
                        new Claim.Arm("the theory's λ", ProxyExperiments.BEHIND),
                        Direction.LESS,
                        new Threshold(0.02)),
                bound(e, "bound", "In the grid"));
    }

    private static List<Claim> world(World world, Experiment e) {
        String where = "In " + world.title;
        return List.of(
                hacking(e, world.title + "-hacking", where),
                above(e, world.title + "-occupancies", where),
                better(e, world.title + "-actions", where, Arm.ACTION_KL),
                better(e, world.title + "-actions-root", where, Arm.ACTION_ROOT),
                better(e, world.title + "-occupancies-kl", where, Arm.OCCUPANCY_KL),
                claim(
                        e,
                        world.title + "-lambda",
                        where + " the theory's λ leaves a policy that is no worse than the reference, to .001.",
                        "true reward less the reference's",
                        new Claim.Arm("the theory's λ", ProxyExperiments.SAFE),
                        Direction.MORE,
                        new Threshold(-0.001)),
                bound(e, world.title + "-bound", where));
    }

    private static List<Claim> sampled(Experiment e) {
        var theory = new Claim.Arm("the theory's λ", ProxyExperiments.THEORY);
        return List.of(
                hacking(e, "sampled-hacking", "Among tomatoes, by PPO,"),
                claim(
                        e,
                        "sampled-lambda",
                        "Among tomatoes, by PPO, the theory's λ leads to more true reward than the reference has.",
                        MEASURE,
                        theory,
                        Direction.MORE,
                        reference()),
                claim(
                        e,
                        "sampled-actions",
                        "Among tomatoes, by PPO, the theory's λ leads to more true reward than KL of actions.",
                        MEASURE,
                        theory,
                        Direction.MORE,
                        arm(Arm.ACTION_KL)));
    }

    private static Claim hacking(Experiment e, String name, String where) {
        return claim(
                e,
                name,
                where + " a policy without a penalty ends with less true reward than the reference.",
                MEASURE,
                new Claim.Arm("no penalty", ProxyExperiments.NONE),
                Direction.LESS,
                reference());
    }

    private static Claim above(Experiment e, String name, String where) {
        return claim(
                e,
                name,
                where + " √χ² of occupancies reaches more true reward than the reference.",
                MEASURE,
                arm(Arm.OCCUPANCY),
                Direction.MORE,
                reference());
    }

    private static Claim better(Experiment e, String name, String where, Arm other) {
        return claim(
                e,
                name,
                where + " √χ² of occupancies reaches more true reward than " + other.title + ".",
                MEASURE,
                arm(Arm.OCCUPANCY),
                Direction.MORE,
                arm(other));
    }

    private static Claim bound(Experiment e, String name, String where) {
        return claim(
                e,
                name,
                where + " no policy gains less than the bound says.",
                "least gain beyond the bound, in standard deviations of the true reward",
                new Claim.Arm("all policies", ProxyExperiments.SLACK),
                Direction.MORE,
                new Threshold(0));
    }

    private static Claim.Arm arm(Arm arm) {
        return new Claim.Arm(arm.title, arm.number());
    }

    private static Claim.Arm reference() {
        return new Claim.Arm("reference", ProxyExperiments.REFERENCE);
    }

    private static Claim claim(
            Experiment e,
            String name,
            String statement,
            String measure,
            Claim.Arm method,
            Direction direction,
            Claim.Against against) {
        return new Claim("correlated-proxies", name, statement, e, measure, "", method, direction, against, 0);
    }
}
