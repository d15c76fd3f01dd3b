package dev.kedge.lab.catalogue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;

/// Whether a paper's methods can be used here; computed from what exists, never stored.
public enum Status {
    /// Its recipes are there and its conformance cases, where there are any, pass.
    WORKS("works"),
    PLANNED("planned");

    private final String word;

    Status(String word) {
        this.word = word;
    }

    /// The status of `paper`: it works if it names at least one recipe, every one of them runs, and its conformance
    /// cases pass. Of papers that came by another list than [Paper#OWN] there are no cases.
    ///
    /// @param recipeRuns        asked with the name of a recipe
    /// @param conformancePasses asked with the slug of the paper
    public static Status of(Paper paper, Predicate<String> recipeRuns, Predicate<String> conformancePasses) {
        boolean runs = !paper.recipes().isEmpty() && paper.recipes().stream().allMatch(recipeRuns);
        boolean agrees = !paper.list().equals(Paper.OWN) || conformancePasses.test(paper.slug());
        return runs && agrees ? WORKS : PLANNED;
    }

    /// True for the name of a recipe that has a `NAME.yaml` in `folder`.
    public static Predicate<String> recipeIn(Path folder) {
        return recipe -> Files.isRegularFile(folder.resolve(recipe + ".yaml"));
    }

    @Override
    public String toString() {
        return word;
    }
}
