package dev.kedge.cli;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaAccess.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.nio.file.Path;
import java.util.List;

/// Arrows between rooms go down only: docs/architecture.md as a test.
@AnalyzeClasses(packages = "dev.kedge", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    /// From the ground up. A room may use those that stand before it here, and of these only what its Maven module
    /// depends on.
    private static final List<String> ROOMS = List.of(
            "config",
            "tensor",
            "text",
            "statistics",
            "nn",
            "env",
            "objective",
            "data",
            "run",
            "sequence",
            "task",
            "recipe",
            "lab",
            "reproduction",
            "bench",
            "cli");

    @ArchTest
    static void arrowsGoDown(JavaClasses classes) {
        for (String room : ROOMS) {
            String[] above = ROOMS.subList(ROOMS.indexOf(room) + 1, ROOMS.size()).stream()
                    .map(higher -> "dev.kedge." + higher + "..")
                    .toArray(String[]::new);
            if (above.length > 0) {
                noClasses()
                        .that()
                        .resideInAPackage("dev.kedge." + room + "..")
                        .should()
                        .dependOnClassesThat()
                        .resideInAnyPackage(above)
                        .check(classes);
            }
        }
    }

    @ArchTest
    static void everyClassHasARoom(JavaClasses classes) {
        classes()
                .should()
                .resideInAnyPackage(
                        ROOMS.stream().map(room -> "dev.kedge." + room + "..").toArray(String[]::new))
                .check(classes);
    }

    /// What a run reads is what its configuration names, so that its provenance is known. A mask that is made on
    /// the way is checked before there is one.
    @ArchTest
    static final ArchRule recipesMakeNoPaths = noClasses()
            .that()
            .resideInAnyPackage("dev.kedge.recipe..", "dev.kedge.sequence..", "dev.kedge.task..")
            .and()
            .doNotHaveSimpleName("SubnetworkConfig")
            .should()
            .callMethodWhere(target(owner(type(Path.class))).and(target(name("of"))));

    /// Recipes are listed in `dev.kedge.recipe`; the families stand below.
    @ArchTest
    static final ArchRule familiesDoNotKnowTheList = noClasses()
            .that()
            .resideInAPackage("dev.kedge.recipe.*..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("dev.kedge.recipe");

    @ArchTest
    static final ArchRule familiesHaveNoCycles =
            slices().matching("dev.kedge.recipe.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule onlyTensorSeesTheBinding = noClasses()
            .that()
            .resideOutsideOfPackages("dev.kedge.tensor..", "dev.kedge.bench..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.bytedeco..");

    @ArchTest
    static final ArchRule theGroundStandsAlone = noClasses()
            .that()
            .resideInAnyPackage(
                    "dev.kedge.config..", "dev.kedge.tensor..", "dev.kedge.text..", "dev.kedge.statistics..")
            .should()
            .dependOnClassesThat(resideInAPackage("dev.kedge..")
                    .and(not(resideInAnyPackage(
                            "dev.kedge.config..",
                            "dev.kedge.tensor..",
                            "dev.kedge.text..",
                            "dev.kedge.statistics.."))));

    @ArchTest
    static final ArchRule objectivesArePureFunctions = classes()
            .that()
            .resideInAPackage("dev.kedge.objective..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage("dev.kedge.objective..", "dev.kedge.tensor..", "dev.kedge.config", "java..");

    @ArchTest
    static final ArchRule environmentsSeeNoLearner = classes()
            .that()
            .resideInAPackage("dev.kedge.env..")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "dev.kedge.env..", "dev.kedge.tensor..", "dev.kedge.config", "java..", "org.hipparchus..");

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
