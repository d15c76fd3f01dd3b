package dev.kedge.recipe.occupancy;

import dev.kedge.config.Kind;
import dev.kedge.env.mdp.Epidemic;
import dev.kedge.env.mdp.GlucoseControl;
import dev.kedge.env.mdp.Gridworld;
import dev.kedge.env.mdp.Mdp;
import dev.kedge.env.mdp.MdpPolicy;
import dev.kedge.env.mdp.Occupancy;
import dev.kedge.env.mdp.ProxyTask;
import dev.kedge.env.mdp.RampMeter;
import dev.kedge.env.mdp.TomatoGarden;
import dev.kedge.env.mdp.ValueIteration;

/// A finite process with a true reward and a proxy, and the policy in use that everything is compared with, as a recipe
/// names it (arXiv:2403.03185).
public sealed interface ProxyEnvironment {
    /// The process and both rewards.
    ProxyTask task();

    /// In (0, 1).
    default double discount() {
        return 0.95;
    }

    /// Takes every action in every state.
    MdpPolicy reference();

    /// What a network sees of each state, `[S][F]`: which one it is.
    default double[][] observations() {
        int states = task().transitions().states();
        double[][] one = new double[states][states];
        for (int s = 0; s < states; s++) {
            one[s][s] = 1;
        }
        return one;
    }

    /// [ProxyTask#grid]; the reference is the soft optimum of the truth at temperature 0.5, with a tenth of uniform
    /// moves.
    ///
    /// @param seed of the rewarded cells
    @Kind("grid")
    record Grid(long seed) implements ProxyEnvironment {
        @Override
        public ProxyTask task() {
            return ProxyTask.grid(seed);
        }

        @Override
        public MdpPolicy reference() {
            return soft(this, 0.5);
        }
    }

    /// [TomatoGarden]; the reference is the soft optimum of the truth at temperature 0.4, with a tenth of uniform
    /// moves.
    @Kind("tomato")
    record Tomato(Level level) implements ProxyEnvironment {
        /// Which garden.
        public enum Level {
            /// 9 tomatoes, 26 cells.
            PAPER(TomatoGarden.LEVEL),
            /// 5 tomatoes, 8 cells.
            SMALL(TomatoGarden.SMALL);

            private final Gridworld map;

            Level(Gridworld map) {
                this.map = map;
            }
        }

        @Override
        public ProxyTask task() {
            return TomatoGarden.task(level.map, 0);
        }

        @Override
        public double discount() {
            return 0.99;
        }

        @Override
        public MdpPolicy reference() {
            return soft(this, 0.4);
        }

        @Override
        public double[][] observations() {
            return TomatoGarden.observations(level.map);
        }
    }

    /// [GlucoseControl], by a rule of thumb.
    ///
    /// @param seed of the patient
    @Kind("glucose")
    record Glucose(long seed) implements ProxyEnvironment {
        @Override
        public ProxyTask task() {
            return GlucoseControl.patient(seed).task();
        }

        @Override
        public MdpPolicy reference() {
            return GlucoseControl.reference();
        }
    }

    /// [RampMeter], by a signal of fixed time.
    ///
    /// @param seed of the place
    @Kind("traffic")
    record Traffic(long seed) implements ProxyEnvironment {
        @Override
        public ProxyTask task() {
            return RampMeter.place(seed).task();
        }

        @Override
        public MdpPolicy reference() {
            return RampMeter.reference();
        }
    }

    /// [Epidemic], by a rule of thumb.
    ///
    /// @param seed of the disease
    @Kind("pandemic")
    record Pandemic(long seed) implements ProxyEnvironment {
        @Override
        public ProxyTask task() {
            return Epidemic.disease(seed).task();
        }

        @Override
        public MdpPolicy reference() {
            return Epidemic.reference();
        }
    }

    private static MdpPolicy soft(ProxyEnvironment environment, double temperature) {
        Mdp truth = environment.task().mdp(environment.discount());
        return ValueIteration.maximumEntropy(truth, temperature, 1e-9)
                .policy()
                .mixedWith(MdpPolicy.uniform(truth.states(), truth.actions()), 0.1);
    }

    /// Evaluates policies exactly, beside the reference.
    ///
    /// @param task        the process
    /// @param discount    in (0, 1)
    /// @param reference   the policy
    /// @param occupancy   of the reference
    /// @param sigmaTrue   standard deviation of the true reward under it, `sigmaProxy` likewise
    /// @param correlation of the two under it
    record Evaluator(
            ProxyTask task,
            double discount,
            MdpPolicy reference,
            Occupancy occupancy,
            double sigmaTrue,
            double sigmaProxy,
            double correlation) {
        private static final double TOLERANCE = 1e-10;

        /// That of an environment.
        public static Evaluator of(ProxyEnvironment environment) {
            ProxyTask task = environment.task();
            MdpPolicy reference = environment.reference();
            Occupancy occupancy = Occupancy.discounted(task.mdp(environment.discount()), reference, TOLERANCE);
            double trueMean = occupancy.expectation(task.reward());
            double proxyMean = occupancy.expectation(task.proxy());
            double trueSquare = 0;
            double proxySquare = 0;
            double product = 0;
            double[][] mass = occupancy.mass();
            for (int s = 0; s < mass.length; s++) {
                for (int a = 0; a < mass[s].length; a++) {
                    double x = task.reward()[s][a] - trueMean;
                    double y = task.proxy()[s][a] - proxyMean;
                    trueSquare += mass[s][a] * x * x;
                    proxySquare += mass[s][a] * y * y;
                    product += mass[s][a] * x * y;
                }
            }
            return new Evaluator(
                    task,
                    environment.discount(),
                    reference,
                    occupancy,
                    Math.sqrt(trueSquare),
                    Math.sqrt(proxySquare),
                    product / Math.sqrt(trueSquare * proxySquare));
        }

        /// `sqrt(1 - r²)`: what the theory's coefficient is in units of the proxy's standard deviation.
        public double theory() {
            return Math.sqrt(Math.max(0, 1 - correlation * correlation));
        }

        /// The process with the proxy.
        public Mdp proxyMdp() {
            return task.proxyMdp(discount);
        }

        /// What a policy is worth, exactly.
        public Evaluation evaluate(MdpPolicy policy) {
            Occupancy there = Occupancy.discounted(task.mdp(discount), policy, TOLERANCE);
            double truth = there.expectation(task.reward());
            double proxy = there.expectation(task.proxy());
            double gain = (truth - occupancy.expectation(task.reward())) / sigmaTrue;
            double proxyGain = (proxy - occupancy.expectation(task.proxy())) / sigmaProxy;
            double chiSquared = there.chiSquared(occupancy);
            return new Evaluation(
                    truth,
                    proxy,
                    gain,
                    proxyGain,
                    (proxyGain - theory() * Math.sqrt(chiSquared)) / correlation,
                    chiSquared,
                    there.kl(occupancy),
                    there.actionKl(policy, reference));
        }
    }

    /// What a policy is worth beside the reference.
    ///
    /// @param truth       true reward of a step, `proxy` likewise
    /// @param gain        of true reward, in its standard deviations under the reference; `proxyGain` likewise
    /// @param bound       what the gain is at least, if the correlation is above 0
    /// @param chiSquared  of occupancies, `kl` likewise, nats
    /// @param actionKl    of actions, where the policy goes, nats
    record Evaluation(
            double truth,
            double proxy,
            double gain,
            double proxyGain,
            double bound,
            double chiSquared,
            double kl,
            double actionKl) {}
}
