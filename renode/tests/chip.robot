*** Settings ***
Documentation     What the STM32F412 of the board has other than Renode's.
Resource          support.resource
Test Setup        Create Machine Without Firmware
Test Teardown     Test Teardown

*** Variables ***
${FLASH_KEYR}     0x40023C04
${FLASH_SR}       0x40023C0C
${FLASH_CR}       0x40023C10
${GPIOA_IDR}      0x40020010

*** Test Cases ***
Should Show The Flash At Both Places
    Write                     0x080FFFFC    0x12345678
    Memory Should Hold        0x000FFFFC    0x12345678
    ${size}=                  Execute Command    sysbus.flash Size
    Should Be Equal As Integers    ${size.strip()}    0x100000

Should Identify Itself
    Memory Should Hold        0xE0042000    0x10006441
    Memory Should Hold        0x1FFF7A10    0x0041002E
    ${kilobytes}=             Execute Command    sysbus ReadWord 0x1FFF7A22
    Should Be Equal As Integers    ${kilobytes.strip()}    1024

Should Erase All Of Sector 5 And No More
    Execute Command           sysbus.flash ZeroAll
    Unlock Flash
    # STRT, EOPIE, sector 5, SER
    Write                     ${FLASH_CR}    0x0101002A
    Memory Should Hold        ${FLASH_SR}    0x1
    Memory Should Hold        0x0801FFFC    0x0
    Memory Should Hold        0x08020000    0xFFFFFFFF
    Memory Should Hold        0x0803FFFC    0xFFFFFFFF
    Memory Should Hold        0x08040000    0x0

Should Not Erase While Locked
    Execute Command           sysbus.flash ZeroAll
    Write                     ${FLASH_CR}    0x0101002A
    Memory Should Hold        0x08020000    0x0
    Memory Should Hold        ${FLASH_CR}    0x80000000

Should Stay Locked After A Wrong Key
    Write                     ${FLASH_KEYR}    0x45670123
    Write                     ${FLASH_KEYR}    0x0
    Unlock Flash
    Memory Should Hold        ${FLASH_CR}    0x80000000

Should See The Buttons At Once And Over A Reset
    Buttons Should Read       0x410
    Execute Command           sysbus.gpioPortA.buttonA Press
    Buttons Should Read       0x400
    Execute Command           machine Reset
    Buttons Should Read       0x400
    Execute Command           sysbus.gpioPortA.buttonB Press
    Buttons Should Read       0x000
    Execute Command           sysbus.gpioPortA.buttonA Release
    Execute Command           sysbus.gpioPortA.buttonB Release
    Buttons Should Read       0x410

Should Make Numbers Of 32 Bits
    Write                     0x50060800    0x4
    Memory Should Hold        0x50060804    0x1
    ${highest}=               Set Variable    ${0}
    FOR    ${i}    IN RANGE    64
        ${number}=            Execute Command    sysbus ReadDoubleWord 0x50060808
        ${highest}=           Evaluate    ${highest} | ${number}
    END
    Should Be Equal As Integers    ${highest}    0xFFFFFFFF

Should Say Why The Secure Element Is Lost
    # Nothing listens on the discard port; PB14 high is the supply.
    Execute Command           sysbus.i2c.stsafe Port 9
    Write                     0x40020418    0x4000
    ${failure}=               Execute Command    sysbus.i2c.stsafe Failure
    Should Contain            ${failure}    nothing listens on 127.0.0.1:9

*** Keywords ***
Write
    [Arguments]               ${address}    ${value}
    Execute Command           sysbus WriteDoubleWord ${address} ${value}

Unlock Flash
    Write                     ${FLASH_KEYR}    0x45670123
    Write                     ${FLASH_KEYR}    0xCDEF89AB

Buttons Should Read
    [Arguments]               ${expected}
    ${levels}=                Execute Command    sysbus ReadDoubleWord ${GPIOA_IDR}
    Should Be Equal As Integers    ${{int($levels, 16) & 0x410}}    ${expected}
