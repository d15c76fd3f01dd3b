package dev.kedge.recipe;

import dev.kedge.config.ConfigFile;
import dev.kedge.recipe.continual.RecapRecipe;
import dev.kedge.recipe.demonstration.DemoRegRlConfig;
import dev.kedge.recipe.demonstration.DemoRegRlRecipe;
import dev.kedge.recipe.distillation.GkdRecipe;
import dev.kedge.recipe.game.EgpoRecipe;
import dev.kedge.recipe.game.InpoRecipe;
import dev.kedge.recipe.guidance.GenarmFrontRecipe;
import dev.kedge.recipe.guidance.GenarmRecipe;
import dev.kedge.recipe.occupancy.OccupancyConfig;
import dev.kedge.recipe.occupancy.OccupancyRecipe;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.recipe.preference.AdpoRecipe;
import dev.kedge.recipe.preference.DpoRecipe;
import dev.kedge.recipe.preference.HypoRecipe;
import dev.kedge.recipe.preference.RrpoRecipe;
import dev.kedge.recipe.preference.XpoRecipe;
import dev.kedge.recipe.sparsity.SubnetworkConfig;
import dev.kedge.recipe.sparsity.SubnetworkRecipe;
import dev.kedge.recipe.supervised.AsftRecipe;
import dev.kedge.recipe.supervised.SftRecipe;
import dev.kedge.recipe.unpaired.KtoRecipe;
import dev.kedge.recipe.variational.DpgConfig;
import dev.kedge.recipe.variational.DpgRecipe;
import dev.kedge.run.Run;
import java.util.List;

/// The recipes by name: an explicit list.
public final class Recipes {
    private Recipes() {}

    private static final List<String> NAMES = List.of(
            "quickstart",
            "sft",
            "dpo",
            "adpo",
            "asft",
            "dpg",
            "demo-reg-rl",
            "egpo",
            "genarm",
            "genarm-front",
            "gkd",
            "hypo",
            "inpo",
            "kto",
            "occupancy",
            "recap",
            "rlvr",
            "rrpo",
            "subnetwork",
            "xpo");

    /// The configuration of a recipe file, checked.
    ///
    /// @throws dev.kedge.config.ConfigException naming file, line and key of what is wrong
    public static Record config(ConfigFile file) {
        return switch (file.recipe()) {
            case "quickstart" -> file.as(QuickstartRecipe.Config.class);
            case "sft" -> file.as(SftRecipe.Config.class);
            case "dpo" -> file.as(DpoRecipe.Config.class);
            case "adpo" -> file.as(AdpoRecipe.Config.class);
            case "asft" -> file.as(AsftRecipe.Config.class);
            case "dpg" -> file.as(DpgConfig.class);
            case "demo-reg-rl" -> file.as(DemoRegRlConfig.class);
            case "egpo" -> file.as(EgpoRecipe.Config.class);
            case "genarm" -> file.as(GenarmRecipe.Config.class);
            case "genarm-front" -> file.as(GenarmFrontRecipe.Config.class);
            case "gkd" -> file.as(GkdRecipe.Config.class);
            case "hypo" -> file.as(HypoRecipe.Config.class);
            case "inpo" -> file.as(InpoRecipe.Config.class);
            case "kto" -> file.as(KtoRecipe.Config.class);
            case "occupancy" -> file.as(OccupancyConfig.class);
            case "recap" -> file.as(RecapRecipe.Config.class);
            case "rlvr" -> file.as(RlvrRecipe.Config.class);
            case "rrpo" -> file.as(RrpoRecipe.Config.class);
            case "subnetwork" -> file.as(SubnetworkConfig.class);
            case "xpo" -> file.as(XpoRecipe.Config.class);
            default -> throw file.unknownRecipe(NAMES);
        };
    }

    /// Runs a recipe; goes on where the run stands.
    public static void run(ConfigFile file, Run run) {
        switch (config(file)) {
            case QuickstartRecipe.Config config -> QuickstartRecipe.run(config, run);
            case SftRecipe.Config config -> SftRecipe.run(config, run);
            case DpoRecipe.Config config -> DpoRecipe.run(config, run);
            case AdpoRecipe.Config config -> AdpoRecipe.run(config, run);
            case AsftRecipe.Config config -> AsftRecipe.run(config, run);
            case DpgConfig config -> DpgRecipe.run(config, run);
            case DemoRegRlConfig config -> DemoRegRlRecipe.run(config, run);
            case EgpoRecipe.Config config -> EgpoRecipe.run(config, run);
            case GenarmRecipe.Config config -> GenarmRecipe.run(config, run);
            case GenarmFrontRecipe.Config config -> GenarmFrontRecipe.run(config, run);
            case GkdRecipe.Config config -> GkdRecipe.run(config, run);
            case HypoRecipe.Config config -> HypoRecipe.run(config, run);
            case InpoRecipe.Config config -> InpoRecipe.run(config, run);
            case KtoRecipe.Config config -> KtoRecipe.run(config, run);
            case OccupancyConfig config -> OccupancyRecipe.run(config, run);
            case RecapRecipe.Config config -> RecapRecipe.run(config, run);
            case RlvrRecipe.Config config -> RlvrRecipe.run(config, run);
            case RrpoRecipe.Config config -> RrpoRecipe.run(config, run);
            case SubnetworkConfig config -> SubnetworkRecipe.run(config, run);
            case XpoRecipe.Config config -> XpoRecipe.run(config, run);
            default -> throw file.unknownRecipe(NAMES);
        }
    }
}
