*** Settings ***
Documentation     A Unique Device Secret goes into the secure element and makes the identity.
Resource          support.resource
Test Teardown     Clean Up

*** Test Cases ***
Should Keep The UDS And Make The Certificate That Follows From It
    Create DevKit
    Execute Command           sysbus.gpioPortA.buttonA Press
    Wait For Configuration Mode
    Write Line To Uart        set_dps_uds ${UDS}    waitForEcho=false
    Wait For Line On Uart     INFO: Set DPS UDS successfully.
    Secure Element Should Have Done    Update    zone=6    length=64
    Secure Element Should Have Done    Read    zone=6    length=64
    Press Reset
    Wait For Line On Uart     Registration id: az-d28ff3e36ccev1v0v0
    ${expected}=              Fingerprint Of The Certificate
    Wait For Line On Uart     Alias certificate SHA-256: ${expected}

Should Refuse A UDS That Is Too Short
    Create DevKit
    Execute Command           sysbus.gpioPortA.buttonA Press
    Wait For Configuration Mode
    Write Line To Uart        set_dps_uds 1234    waitForEcho=false
    Wait For Line On Uart     Invalid UDS.
    Press Reset
    Wait For Line On Uart     ERROR: no-uds

*** Keywords ***
Fingerprint Of The Certificate
    [Documentation]           Of the one that must follow from UDS, image and registration id.
    ${result}=                Run Process    ${HIL}    cert    --elf    ${IMAGES}/az3166-firmware.elf
    ...                       --uds    ${UDS}    --registration-id    az-d28ff3e36ccev1v0v0
    Should Be Equal As Integers    ${result.rc}    0    msg=${result.stderr}
    ${match}    ${sha256}=    Should Match Regexp    ${result.stdout}    SHA-256 +([0-9A-F]{64})
    RETURN                    ${sha256.lower()}
