package dev.kedge.lab.catalogue;

/// The families into which the catalogue groups its papers; the title is the field's own phrase.
public enum Family {
    PREFERENCE("preference optimisation"),
    NASH("Nash learning"),
    VERIFIABLE_REWARDS("RL with verifiable rewards"),
    SUPERVISED("supervised and continual tuning"),
    INFERENCE_TIME("inference-time alignment"),
    DIFFUSION("diffusion and flow"),
    VISION("vision and robustness"),
    INTERPRETABILITY("interpretability"),
    TRAFFIC("traffic"),
    THEORY("theory");

    private final String title;

    Family(String title) {
        this.title = title;
    }

    /// The family in words, as a heading or a filter shows it.
    public String title() {
        return title;
    }

    /// The family of that title; throws [IllegalArgumentException] that lists the titles when there is none.
    public static Family named(String title) {
        var titles = new StringBuilder();
        for (var family : values()) {
            if (family.title.equals(title)) {
                return family;
            }
            titles.append(titles.isEmpty() ? "" : ", ").append(family.title);
        }
        throw new IllegalArgumentException("unknown family '" + title + "'; known are " + titles);
    }
}
