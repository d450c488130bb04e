import pytest

from infra.local.qscanner.java_packages import JavaPackages

POM = b"#Created by Apache Maven 3.6.3\nversion=2.14.1\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\n"
MANIFEST = (
    b"Manifest-Version: 1.0\r\nImplementation-Title: spring-be\r\n ans\r\n"
    b"Implementation-Version: 5.3.17\r\n\r\nName: org/x/\r\n"
)


def found(detector: JavaPackages) -> list[tuple[str, str, str]]:
    return [(one.name, one.version, one.location) for one in detector.found()]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("META-INF/maven/g/a/pom.properties", True),
        ("lib/a.jar!/META-INF/maven/g/a/pom.properties", True),
        ("lib/a.jar!/META-INF/MANIFEST.MF", True),
        ("pom.xml", False),
        ("lib/a.jar!/META-INF/maven/g/a/pom.xml", False),
        ("pom.properties", False),
    ],
)
def test_wants_what_a_jar_says_of_itself(path: str, wanted: bool) -> None:
    assert JavaPackages().wants(path) is wanted


def test_mavens_properties_come_first() -> None:
    detector = JavaPackages()
    detector.archive("lib/renamed-9.9.jar")
    detector.file("lib/renamed-9.9.jar!/META-INF/MANIFEST.MF", MANIFEST)
    detector.file("lib/renamed-9.9.jar!/META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties", POM)
    assert found(detector) == [("org.apache.logging.log4j:log4j-core", "2.14.1", "lib/renamed-9.9.jar")]


def test_a_shaded_jar_holds_several() -> None:
    detector = JavaPackages()
    detector.archive("")
    detector.file("META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties", POM)
    detector.file("META-INF/maven/a/b/pom.properties", b"groupId=org.yaml\r\nartifactId=snakeyaml\r\nversion=1.30\r\n")
    assert [name for name, _, _ in found(detector)] == ["org.apache.logging.log4j:log4j-core", "org.yaml:snakeyaml"]


def test_then_the_manifest_with_its_folded_lines() -> None:
    detector = JavaPackages()
    detector.archive("app.war!/WEB-INF/lib/x.jar")
    detector.file("app.war!/WEB-INF/lib/x.jar!/META-INF/MANIFEST.MF", MANIFEST)
    assert found(detector) == [("spring-beans", "5.3.17", "app.war!/WEB-INF/lib/x.jar")]


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("lib/log4j-core-2.14.1.jar", ("log4j-core", "2.14.1")),
        ("a.ear!/b-web-1.0-SNAPSHOT.WAR", ("b-web", "1.0-SNAPSHOT")),
        ("lib/spring-beans-5.2.19.RELEASE.jar", ("spring-beans", "5.2.19.RELEASE")),
        ("lib/commons-lang3-3.12.0.jar", ("commons-lang3", "3.12.0")),
        ("lib/app.jar", None),
        ("data-1.0.zip", None),
        ("", None),
    ],
)
def test_then_the_file_name(path: str, package: tuple[str, str] | None) -> None:
    detector = JavaPackages()
    detector.archive(path)
    if path:
        detector.file(f"{path}!/META-INF/MANIFEST.MF", b"Implementation-Title: Apache Log4j Core\nCreated-By: x\n")
    assert found(detector) == ([] if package is None else [(*package, path)])


def test_properties_that_lack_a_part_are_as_good_as_none() -> None:
    detector = JavaPackages()
    detector.archive("lib/a-1.0.jar")
    detector.file("lib/a-1.0.jar!/META-INF/maven/g/a/pom.properties", b"groupId=g\nartifactId=\nversion=1\n\xff\n")
    assert found(detector) == [("a", "1.0", "lib/a-1.0.jar")]
