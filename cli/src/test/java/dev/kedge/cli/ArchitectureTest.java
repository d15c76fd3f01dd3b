package dev.kedge.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/// Arrows between rooms go down only: docs/architecture.md as a test.
@AnalyzeClasses(packages = "dev.kedge", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule arrowsGoDown = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("tensor")
            .definedBy("dev.kedge.tensor..")
            .layer("text")
            .definedBy("dev.kedge.text..")
            .layer("nn")
            .definedBy("dev.kedge.nn..")
            .layer("env")
            .definedBy("dev.kedge.env..")
            .layer("objective")
            .definedBy("dev.kedge.objective..")
            .layer("data")
            .definedBy("dev.kedge.data..")
            .layer("recipe")
            .definedBy("dev.kedge.recipe..")
            .layer("lab")
            .definedBy("dev.kedge.lab..")
            .layer("bench")
            .definedBy("dev.kedge.bench..")
            .layer("cli")
            .definedBy("dev.kedge.cli..")
            .whereLayer("cli")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("bench")
            .mayOnlyBeAccessedByLayers("cli")
            .whereLayer("lab")
            .mayOnlyBeAccessedByLayers("cli")
            .whereLayer("recipe")
            .mayOnlyBeAccessedByLayers("lab", "bench", "cli")
            .whereLayer("data")
            .mayOnlyBeAccessedByLayers("recipe", "lab", "bench", "cli")
            .whereLayer("env")
            .mayOnlyBeAccessedByLayers("recipe", "lab", "bench", "cli")
            .whereLayer("objective")
            .mayOnlyBeAccessedByLayers("recipe", "lab", "bench", "cli")
            .whereLayer("nn")
            .mayOnlyBeAccessedByLayers("recipe", "lab", "bench", "cli")
            .whereLayer("text")
            .mayOnlyBeAccessedByLayers("nn", "data", "recipe", "lab", "bench", "cli");

    /// Recipes are listed in `dev.kedge.recipe`; what has a package of its own stands below.
    @ArchTest
    static final ArchRule packagesOfRecipesStandBelow = noClasses()
            .that()
            .resideInAPackage("dev.kedge.recipe.*..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.kedge.recipe");

    @ArchTest
    static final ArchRule onlyTensorSeesTheBinding = noClasses()
            .that()
            .resideOutsideOfPackages("dev.kedge.tensor..", "dev.kedge.bench..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.bytedeco..");

    @ArchTest
    static final ArchRule textAndTensorStandAlone = noClasses()
            .that()
            .resideInAnyPackage("dev.kedge.text..", "dev.kedge.tensor..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("dev.kedge.nn..", "dev.kedge.objective..", "dev.kedge.data..", "dev.kedge.recipe..");

    @ArchTest
    static final ArchRule objectivesArePureFunctions = classes()
            .that()
            .resideInAPackage("dev.kedge.objective..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("dev.kedge.objective..", "dev.kedge.tensor..", "java..");

    @ArchTest
    static final ArchRule environmentsSeeNoLearner = classes()
            .that()
            .resideInAPackage("dev.kedge.env..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("dev.kedge.env..", "dev.kedge.tensor..", "java..", "org.hipparchus..");

    @ArchTest
    static final ArchRule noCyclesBetweenPackages =
            slices().matching("dev.kedge.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule namesOfTheFieldOnly = noClasses()
            .should()
            .haveSimpleNameEndingWith("Manager")
            .orShould()
            .haveSimpleNameEndingWith("Helper")
            .orShould()
            .haveSimpleNameEndingWith("Utils")
            .orShould()
            .haveSimpleNameStartingWith("Abstract");
}
