package dev.kedge.objective.demonstration;

import dev.kedge.objective.Require;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// The planning step of UCBVI-Ent+: optimistic and pessimistic values of a KL-regularised decision process whose
/// transitions are estimated from visits (arXiv:2310.17303; constants of the bonus as far as they are known).
public final class UcbviEnt {
    private UcbviEnt() {}

    /// What is added to the optimistic and taken from the pessimistic action values of a step.
    @FunctionalInterface
    public interface Bonus {
        /// The bonus of every state and action, >= 0, [S, A].
        ///
        /// @param step  h, from 0
        /// @param upper the optimistic values after the step, [S]; `lower` the pessimistic ones
        Tensor at(int step, Tensor upper, Tensor lower);
    }

    /// The bonus that is the same whatever the values: [H, S, A].
    public static Bonus fixed(Tensor bonus) {
        Require.dims("bonus", bonus, 3, "[H, S, A]");
        return (h, _, _) -> bonus.select(0, h);
    }

    /// Factors of Bernstein's bonus.
    ///
    /// @param root     c1, of the root of the variance; 3 in the paper
    /// @param rest     c2, of the part that falls with 1/n; 9 in the paper
    /// @param scale    of the whole; 1 in the paper, where every value is at its bound until n is large; 0.1 suits
    ///                 small tasks
    /// @param delta    the probability that a bound fails, in (0, 1)
    public record Bernstein(double root, double rest, double scale, double delta) {
        /// @throws IllegalArgumentException if a factor is out of range
        public Bernstein {
            Require.from("root", root, 0, Double.POSITIVE_INFINITY);
            Require.from("rest", rest, 0, Double.POSITIVE_INFINITY);
            Require.positive("scale", scale);
            Require.between("delta", delta, 0, 1);
        }

        /// `scale·(c1·sqrt(Var_P(V)·L/n) + c2·H²·L/n + P(V - V_low)/H)`, `L = log(S·A·H·n/delta)`, and H where nothing
        /// was seen.
        ///
        /// @param model  the transitions estimated from visits
        /// @param visits `n_h(s, a)`, [H, S, A]
        /// @throws IllegalArgumentException if the shapes differ
        public Bonus of(FiniteHorizon model, Tensor visits) {
            Require.sameShape("visits", visits, "reward", model.reward());
            return (h, upper, lower) -> at(model, visits.select(0, h), h, upper, lower);
        }

        private Tensor at(FiniteHorizon model, Tensor visits, int h, Tensor upper, Tensor lower) {
            double horizon = model.reward().size(0);
            Tensor p = model.transitions().select(0, h);
            Tensor mean = expected(p, upper);
            Tensor variance = p.times(upper.minus(mean.unsqueeze(2)).square()).sum(2);
            Tensor n = visits.clampMin(1);
            Tensor log = n.times(model.reward().numel() / delta).log();
            Tensor bonus = variance.times(log)
                    .div(n)
                    .sqrt()
                    .times(root)
                    .plus(log.div(n).times(rest * horizon * horizon))
                    .plus(expected(p, upper.minus(lower)).div(horizon));
            return bonus.times(scale).whereElse(visits.gt(0), horizon);
        }
    }

    /// Values that hold the true ones between them.
    ///
    /// @param upperQ            [H, S, A]; `lowerQ` likewise
    /// @param upperV            [H, S]; `lowerV` likewise
    /// @param logPolicy         of the optimistic values, nats, [H, S, A]
    /// @param explorationAction where the two are farthest apart, the first of several, int64 [H, S]
    public record Bounds(
            Tensor upperQ, Tensor lowerQ, Tensor upperV, Tensor lowerV, Tensor logPolicy, Tensor explorationAction) {}

    /// Backwards from the last step: `Q = clip(r + P·V ± b, low, high)`, V the soft maximum of
    /// [FiniteHorizon#regularised], not clipped again, and 0 after the last step.
    ///
    /// @param model  the rewards, and the transitions estimated from visits
    /// @param logRef normalised over actions, nats, [H, S, A]
    /// @param lambda in units of reward per nat, finite and > 0
    /// @param low    the least that a value can be, the same at every step, below `high`
    /// @throws IllegalArgumentException if shapes differ or a number is out of range
    public static Bounds backup(
            FiniteHorizon model, Bonus bonus, Tensor logRef, double lambda, double low, double high) {
        Require.sameShape("logRef", logRef, "reward", model.reward());
        if (!(low < high)) {
            throw new IllegalArgumentException("low must be < high, were " + low + " and " + high);
        }
        List<Tensor> uppers = new ArrayList<>();
        List<Tensor> lowers = new ArrayList<>();
        Tensor upper = model.nothing();
        Tensor lower = model.nothing();
        for (int h = (int) model.reward().size(0) - 1; h >= 0; h--) {
            Tensor b = bonus.at(h, upper, lower);
            Tensor ref = logRef.select(0, h);
            uppers.addFirst(model.actionValues(h, upper).plus(b).clamp(low, high));
            lowers.addFirst(model.actionValues(h, lower).minus(b).clamp(low, high));
            upper = FiniteHorizon.softValue(uppers.getFirst(), ref, lambda);
            lower = FiniteHorizon.softValue(lowers.getFirst(), ref, lambda);
        }
        Tensor upperQ = Tensor.stack(uppers, 0);
        Tensor lowerQ = Tensor.stack(lowers, 0);
        return new Bounds(
                upperQ,
                lowerQ,
                FiniteHorizon.softValue(upperQ, logRef, lambda),
                FiniteHorizon.softValue(lowerQ, logRef, lambda),
                FiniteHorizon.softPolicy(upperQ, logRef, lambda),
                upperQ.minus(lowerQ).argmax(2));
    }

    /// `(1/(2λ)) E_π[Σ_h max_a (Q_up - Q_low)²]` from each step and state on, [H, S]: with the true transitions, at
    /// least what the optimistic policy lacks of the regularised optimum.
    ///
    /// @param model whose transitions propagate it
    /// @throws IllegalArgumentException if lambda is out of range
    public static Tensor gapBound(FiniteHorizon model, Bounds bounds, double lambda) {
        Require.positive("lambda", lambda);
        Tensor widest = bounds.upperQ().minus(bounds.lowerQ()).square().amax(2, true);
        Tensor perAction = widest.div(2 * lambda).expand(model.reward().shape());
        return new FiniteHorizon(perAction, model.transitions())
                .valuesOf(bounds.logPolicy().exp());
    }

    private static Tensor expected(Tensor transitions, Tensor values) {
        return transitions.matmul(values.unsqueeze(1)).squeeze(2);
    }
}
