*** Settings ***
Documentation     The firmware starts on Renode as it does on the board.
Resource          support.resource
Test Teardown     Clean Up

*** Test Cases ***
Should Start At The Boot Stub And Jump To The Application
    Create DevKit Without Secure Element
    Execute Command           emulation RunFor "0.000001"
    ${table}=                 Execute Command    sysbus.cpu VectorTableOffset
    Should Be Equal           ${table.strip()}    0x0800C000

Should Enter Configuration Mode With Button A
    Create DevKit
    Execute Command           sysbus.gpioPortA.buttonA Press
    Wait For Line On Uart     AZ3166 DevKit open firmware
    Wait For Line On Uart     MAC: d28ff3e36cce
    Wait For Configuration Mode
    Write Line To Uart        version    waitForEcho=false
    Wait For Line On Uart     Firmware version: 1.0.0
    Secure Element Should Not Have Failed

Should Show Text On The Display
    Create DevKit
    Execute Command           sysbus.gpioPortA.buttonA Press
    Wait For Configuration Mode
    ${shines}=                Execute Command    sysbus.i2c.display Shines
    Should Be Equal           ${shines.strip()}    True
    ${picture}=               Execute Command    sysbus.i2c.display Picture
    ${picture}=               Set Variable    ${picture.strip()}
    Length Should Be          ${picture}    2048
    # Four rows of text of 16 lines each; a row is dark or has ink.
    ${ink}=                   Evaluate    [bin(int("${picture}"[i * 512:][:512], 16)).count("1") for i in range(4)]
    Should Be True            20 < ${ink[0]} < 1024

Should Say That The Secure Element Is Absent
    Create DevKit Without Secure Element
    Execute Command           sysbus.gpioPortA.buttonA Press
    Wait For Line On Uart     ERROR: stsafe-absent: the secure element does not answer

Should Go On Without A Display
    Create DevKit
    Execute Command           sysbus.i2c.display Present false
    Execute Command           sysbus.gpioPortA.buttonA Press
    Wait For Configuration Mode

Should Not Be In Configuration Mode After A Reset Without The Button
    Create DevKit
    Execute Command           sysbus.gpioPortA.buttonA Press
    Wait For Configuration Mode
    Press Reset
    Wait For Line On Uart     AZ3166 DevKit open firmware
    Wait For Line On Uart     ERROR: no-uds
