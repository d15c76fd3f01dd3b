package dev.kedge.example;

import dev.kedge.config.ConfigFile;
import dev.kedge.nn.Parameters;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Terminal;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// A recipe of one's own on [Training]: its configuration from YAML, a run folder, and resume to the same bits.
///
/// What is learnt could not be simpler, a line through points, so that all of this file is what a recipe consists of.
public final class CustomRecipe {
    /// @param slope    of the line that the points lie on
    /// @param training how the parameters are moved
    public record Config(double slope, TrainingConfig training) {
        public Config {
            Require.positive("slope", slope); // refused with the file, the line and this message
        }
    }

    /// What a recipe file holds: each key a component, none left out, none unknown.
    public static final String YAML = """
            recipe: line
            slope: 3
            training: {steps: 200, batch_size: 8, micro_batch: 4, batches: shuffled, learning_rate: 0.05,
              schedule: constant, warmup_steps: 0, min_lr_ratio: 1, beta1: 0.9, beta2: 0.99, weight_decay: 0,
              max_grad_norm: 10, checkpoint_every: 50}
            """;

    private static final double[] X = {-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2};

    private CustomRecipe() {}

    /// @param args the run's folder, then `key=value` each
    public static void main(String[] args) {
        try (Run run = start(Path.of(args[0]), List.of(args).subList(1, args.length))) {
            System.out.println("learnt a slope of " + learn(run));
        }
    }

    /// Begins the run in a folder, or goes on with it where the same configuration was begun there.
    ///
    /// @param overrides `key=value` each, as on the command line
    public static Run start(Path folder, List<String> overrides) {
        ConfigFile file = ConfigFile.parse("line.yaml", YAML, overrides);
        return Run.start(folder, file, file.as(Config.class), Terminal.quiet());
    }

    /// Takes the steps that are left and returns the slope.
    public static double learn(Run run) {
        Config config = run.config().as(Config.class);
        EpochBatches batches = config.training().batchesOf(new int[X.length], 1);
        try (Parameters line = Parameters.zeros(Map.of("slope", new long[] {1}), DType.FLOAT64, Device.CPU);
                Training training = new Training(run, "fit", config.training(), line)) {
            training.run(step -> {
                int[] batch = batches.at(step); // a function of the step's number: nothing to save
                return Step.on(batch, config.training().microBatch(), part -> {
                    Tensor inputs =
                            Tensor.of(Arrays.stream(part).mapToDouble(i -> X[i]).toArray());
                    Tensor error = line.get("slope").minus(config.slope()).times(inputs);
                    Tensor loss = error.times(error).sum().times(1.0 / batch.length); // this part's share
                    loss.backward();
                    return new StepMetrics().add("loss", loss.item());
                });
            });
            return line.get("slope").item();
        }
    }
}
