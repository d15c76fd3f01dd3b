package dev.kedge.data.verify;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/// The units that answers to school problems come in, so that `5 cm` is not `5 m`. Any other word after a number is
/// taken for what was counted, and passed over.
final class Units {
    private static final String[] NAMES = {
        "cm centimeter centimeters centimetre centimetres",
        "m meter meters metre metres",
        "mm millimeter millimeters millimetre millimetres",
        "km kilometer kilometers kilometre kilometres",
        "in inch inches",
        "ft foot feet",
        "yd yard yards",
        "mi mile miles",
        "s sec second seconds",
        "min minute minutes",
        "h hr hour hours",
        "day days",
        "week weeks",
        "month months",
        "year years",
        "g gram grams",
        "kg kilogram kilograms",
        "lb lbs pound pounds",
        "oz ounce ounces",
        "l liter liters litre litres",
        "ml milliliter milliliters",
        "mph",
        "cent cents",
        "dollar dollars usd",
        "euro euros",
        "degree degrees",
        "radian radians rad",
        "percent",
        "unit units",
    };
    private static final Pattern NUMERAL = Pattern.compile(
            "(?i)\\b(?:dozen|hundred|thousand|million|billion|trillion|percent of|hundredth|tenth)s?\\b");
    private static final Map<String, String> BY_NAME = new HashMap<>();

    static {
        for (String names : NAMES) {
            String[] same = names.split(" ");
            for (String name : same) {
                BY_NAME.put(name, same[0]);
            }
        }
    }

    private Units() {}

    /// A single letter is a unit in lower case only: `\text{H}` names something else.
    static boolean known(String words) {
        String bare = words.strip();
        return !of(bare).isEmpty() && (bare.length() > 1 || Character.isLowerCase(bare.charAt(0)));
    }

    /// Whether words change the number that they stand behind.
    static boolean isNumeral(String words) {
        return NUMERAL.matcher(words).find();
    }

    /// One name for each unit, as in `cm^2` for square centimeters; empty for other words.
    static String of(String words) {
        String[] parts = words.strip().toLowerCase(Locale.ROOT).replace(".", "").split("\\s+", 3);
        String power =
                switch (parts[0]) {
                    case "square", "sq" -> "^2";
                    case "cubic", "cu" -> "^3";
                    default -> "";
                };
        int at = power.isEmpty() ? 0 : 1;
        String name = at < parts.length ? BY_NAME.get(parts[at]) : null;
        return name == null || parts.length > at + 1 ? "" : name + power;
    }
}
