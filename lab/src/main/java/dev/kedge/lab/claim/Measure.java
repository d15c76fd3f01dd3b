package dev.kedge.lab.claim;

import dev.kedge.lab.claim.Claim.Against;
import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;

/// What claims about an experiment compare:
///
/// ```java
/// var kl = measure(experiment, "KL from the reference", "nats", "KL");
/// kl.claim("kl").says("HyPO ends nearer to the reference than DPO.").less("HyPO", "DPO").by(0.3);
/// ```
///
/// @param name   as the field writes it
/// @param unit   "%" for a share, empty where there is none
/// @param number what the numbers of its arms begin with in an [Outcome]; "KL, DPO" is that of the arm DPO
public record Measure(Experiment experiment, String name, String unit, String number) {
    /// A claim before it is said which arms it is about.
    ///
    /// @param name see [Claim#name]
    /// @param text see [Claim#statement]
    public record Statement(Measure measure, String name, String text) {
        /// The same in words: what the paper says, in ours.
        public Statement says(String words) {
            return new Statement(measure, name, words);
        }

        public Claim more(Arm method, Against than) {
            return claim(method, Direction.MORE, than);
        }

        public Claim less(Arm method, Against than) {
            return claim(method, Direction.LESS, than);
        }

        public Claim more(Arm method, double than) {
            return more(method, new Threshold(than));
        }

        public Claim less(Arm method, double than) {
            return less(method, new Threshold(than));
        }

        public Claim more(String method, String than) {
            return more(measure.arm(method), measure.arm(than));
        }

        public Claim less(String method, String than) {
            return less(measure.arm(method), measure.arm(than));
        }

        private Claim claim(Arm method, Direction direction, Against against) {
            return new Claim(name, text, measure.experiment, measure.name, measure.unit, method, direction, against, 0);
        }
    }

    /// One whose arms' numbers begin with its name.
    public static Measure measure(Experiment experiment, String name, String unit) {
        return new Measure(experiment, name, unit, name);
    }

    /// The parameters are those of the record.
    public static Measure measure(Experiment experiment, String name, String unit, String number) {
        return new Measure(experiment, name, unit, number);
    }

    /// A claim of that name, about which nothing is said yet.
    public Statement claim(String claim) {
        return new Statement(this, claim, "");
    }

    /// The arm of that name.
    public Arm arm(String arm) {
        return new Arm(arm, number + ", " + arm);
    }
}
