package dev.kedge.recipe.occupancy;

import dev.kedge.env.mdp.Penalty;
import dev.kedge.recipe.occupancy.ProxyEnvironment.Evaluation;
import java.util.List;

/// A policy that was trained, as it learnt.
///
/// @param snapshots from the start on, the end last
record TrainedPolicy(Task task, List<Snapshot> snapshots) {
    /// A policy to be trained.
    ///
    /// @param coefficient in standard deviations of the proxy
    /// @param snapshots   while it learns, its end included
    record Task(String phase, Penalty penalty, double coefficient, int snapshots) {}

    /// @param done     how many steps
    /// @param logProbs of the policy: `[S][A]`
    record Snapshot(int done, double[][] logProbs, Evaluation evaluation) {}

    Evaluation end() {
        return snapshots.getLast().evaluation;
    }
}
