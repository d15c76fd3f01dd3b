/// Configuration as records: YAML 1.2 is read into a record's components once, and whatever does not fit is refused in
/// one line that names file, line and what would be right.
///
/// ```java
/// record Config(double beta, int steps) {}
/// ConfigFile file = ConfigFile.parse("my.yaml", "recipe: mine\nbeta: 0.1\nsteps: 1e3\n", List.of("beta=0.2"));
/// System.out.println(file.as(Config.class)); // Config[beta=0.2, steps=1000]
/// ```
package dev.kedge.config;
