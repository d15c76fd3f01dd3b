package dev.kedge.lab.claim;

/// Something that can be run with any seed. Claims read what it measured: one experiment may serve several of them.
///
/// @param name        short, for files: lower-case letters, digits and dashes
/// @param description what is run and with what budget, for readers; results of another description do not count as
///                    results of this experiment
/// @param seeds       how many seeds it is run with unless told otherwise, from 1 on; at least [#FEWEST]
/// @param trial       the run itself
public record Experiment(String name, String description, int seeds, Trial trial) {
    /// Below this many seeds a bootstrap interval says next to nothing.
    public static final int FEWEST = 5;

    /// @throws IllegalArgumentException if the name or the seeds are not as above
    public Experiment {
        if (!name.matches("[a-z0-9]+(-[a-z0-9]+)*")) {
            throw new IllegalArgumentException("an experiment's name is lower-case words and dashes, was " + name);
        }
        if (seeds < FEWEST) {
            throw new IllegalArgumentException(name + ": at least " + FEWEST + " seeds are needed, was " + seeds);
        }
    }

    /// One run. Whatever is random in it comes from the seed, and arms that are compared share it.
    @FunctionalInterface
    public interface Trial {
        Outcome run(long seed);
    }
}
