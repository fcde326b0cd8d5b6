"""Units of measurement, in small letters: their dimension, and their size in its base unit."""

from __future__ import annotations

_TABLE = """
time       1e-9   ns nanosecond
time       1e-6   us μs microsecond
time       1e-3   ms msec millisecond
time       1      s sec second
time       60     min minute
time       3600   h hr hour
time       86400  day
data       1      bit
data       1e3    kbit kilobit
data       1e6    mbit megabit
data       1e9    gbit gigabit
data       8      b byte
data       8e3    kb kib kbyte kilobyte
data       8e6    mb mib mbyte megabyte
data       8e9    gb gib gbyte gigabyte
data       8e12   tb tib tbyte terabyte
length     1e-9   nm nanometer nanometre
length     1e-6   um μm micrometer micrometre
length     1e-3   mm millimeter millimetre
length     1e-2   cm centimeter centimetre
length     1      m meter metre
length     1e3    km kilometer kilometre
mass       1e-3   mg milligram
mass       1      g gram
mass       1e3    kg kilogram
volume     1e-3   ml milliliter millilitre
volume     1      l liter litre
frequency  1      hz hertz
frequency  1e3    khz kilohertz
frequency  1e6    mhz megahertz
frequency  1e9    ghz gigahertz
voltage    1e-3   mv millivolt
voltage    1      v volt
voltage    1e3    kv kilovolt
current    1e-3   ma milliamp milliampere
current    1      a amp ampere
power      1      w watt
power      1e3    kw kilowatt
resistance 1      ohm
force      1      n newton
energy     1      j joule
energy     1e3    kj kilojoule
pressure   1      pa pascal
pressure   1e3    kpa kilopascal
share      1      % percent
celsius    1      °c celsius
fahrenheit 1      °f fahrenheit
kelvin     1      k kelvin
"""
UNITS: dict[str, tuple[str, float]] = {
    name: (dimension, float(size))
    for dimension, size, *names in map(str.split, _TABLE.strip().splitlines())
    for name in names
}
